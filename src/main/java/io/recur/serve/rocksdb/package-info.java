/**
 * Sessions in RocksDB: {@link io.recur.serve.rocksdb.RocksStore}. It uses {@code
 * org.rocksdb:rocksdbjni}, which a user of it adds to the project.
 */
@NullMarked
package io.recur.serve.rocksdb;

import org.jspecify.annotations.NullMarked;
