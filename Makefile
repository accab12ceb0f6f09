# make run ARGS="…"  runs the recur command (with no ARGS: trains for three minutes, then samples)
# make test          builds and runs all checks and tests
# make soak          runs the longer rounds: 5 000 damaged checkpoints and snapshots each, 50 kills of a training, a file
#                    of 2.2 GB; prints their figures, some minutes
# make bench         runs every benchmark, into jmh/bench.csv (BENCH="pattern and JMH options", or PanamaAgainstC,
#                    SteadyState, Lengths, StartUp, Targets: that part alone)
# make serve-bench   measures sessions: steps per second, the time of a step, the memory of a million, files of them, a
#                    simulated day, an LSTM of 512 units behind HTTP, and steps by key on Kafka Streams with a broker
#                    (SERVE=--short; KAFKA= leaves that out)
# make http-bench    the part behind HTTP alone, beside the same routes behind Jetty and behind Helidon and ONNX Runtime behind
#                    the same server, each where its jars can be had, and PyTorch behind one in Python (PYTHON=a Python with
#                    torch and onnx)
# make kafka-bench   the last of these alone; says why where the broker's jars cannot be had
# make peers         measures the rivals beside us, and the machine's own limits (PYTHON=a Python with torch, PEERS="part
#                    of a work's name", PEERS_ROUNDS=n); with no PEERS: an hour, into jmh/peers.csv, jmh/peers.png and
#                    jmh/RESULTS.md;
#                    with BASE=COMMIT: that commit alone beside the present one (TURNS=n, LIMIT=ratio), into
#                    jmh/base.csv and jmh/RESULTS.md; fails where a row is slower
# make silero        answers and speed of Silero's model of voice activity beside ONNX Runtime's; takes the model with npm,
#                    and speech from espeak-ng (SPEECH=FILE.wav: from a recording); says what is missing
# make bring-up      the first ten minutes on a GPU (GPU=cuda:N): each step in a process of its own with its limit,
#                    outcomes, figures and worst errors into jmh/RESULTS-GPU.md, the file to send
#                    (BRING_UP="part of a step's name", PYTHON=a Python with torch); on the CPU double
#                    (RECUR_CUDA=target/…/librecur-double.so) a rehearsal that changes no file
# make host-gpu      counts launches, graphs, bytes and the host's time per step on the CPU double, into
#                    jmh/RESULTS-GPU.md (HOST_GPU=units, separated by commas)
# make test-gpu      runs the tests on a GPU (GPU=cuda:N), with NVIDIA's libraries, in one JVM with one device, or
#                    with PER_CLASS=true a JVM for each class; says why where it cannot
# make bench-gpu     measures PyTorch beside us on a GPU (PYTHON=a Python with torch, BENCH_GPU="part of a work's
#                    name", BENCH_GPU_ROUNDS=n), into jmh/gpu.csv and jmh/RESULTS-GPU.md
# make pack          packs library, tests, benchmark and a Java runtime for a machine with a GPU and no JDK
# make kernels       builds the C kernels, where there is a C compiler; Maven calls it
# make native        builds the C kernels, and the CPU double of a GPU for the tests
# make sanitize      tests the C code under sanitizers (SANITIZE_SECONDS=n, SANITIZE_TESTS="test classes"), and that
#                    these find planted faults; says why where it cannot
# make bindings      generates bindings/ with jextract
# make clean         removes what was built

ARGS ?= train --out target/character-model.safetensors
BENCH ?=
SERVE ?=
KAFKA ?= yes
PEERS ?=
PEERS_ROUNDS ?= 25
BASE ?=
TURNS ?= 15
LIMIT ?= 0.99
PYTHON ?= python3
SPEECH ?=
GPU ?= cuda:0
BENCH_GPU ?=
BRING_UP ?=
HOST_GPU ?= 128,256,512,1024,2048
PER_CLASS ?=
SANITIZE_SECONDS ?= 60
SANITIZE_TESTS ?= io/recur/device/**/*Test,io/recur/nn/*Test
BENCH_GPU_ROUNDS ?= 7

# The mvn of the PATH, unless there is none or the plugins need a later one: then the wrapper, with a checksum.
MAVEN_MINIMUM := $(shell sed -n 's/.*<maven.minimum>\(.*\)<.*/\1/p' pom.xml)
MAVEN ?= $(shell \
	version=$$(mvn --version 2>/dev/null | sed -n 's/.*Apache Maven \([0-9.]*\).*/\1/p'); \
	oldest=$$(printf '%s\n' "$${version:-0}" $(MAVEN_MINIMUM) | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1); \
	if [ "$$oldest" = $(MAVEN_MINIMUM) ]; then echo mvn; else echo ./mvnw; fi)

# A JDK of version 22 or later: JAVA_HOME's, the one on the PATH, or one in the usual folders.
JDK := $(shell \
	for home in "$$JAVA_HOME" "$$(dirname "$$(dirname "$$(readlink -f "$$(command -v java)")")")" \
	    /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "$$HOME"/.sdkman/candidates/java/* "$$HOME"/.jdks/* \
	    /Library/Java/JavaVirtualMachines/*/Contents/Home; do \
	  version=$$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$$home/release" 2>/dev/null); \
	  if [ "$${version:-0}" -ge 22 ] && [ -x "$$home/bin/javac" ]; then echo "$$home"; break; fi; \
	done)

ifeq ($(JDK),)
  $(error No JDK 22 or later found. Install one (for instance from adoptium.net, or 'apt install openjdk-25-jdk') or set JAVA_HOME to it)
endif

# Maven runs on it too: nothing has to be discovered, and no list of discovered JDKs can be out of date.
export JAVA_HOME := $(JDK)

# Where natives are built, and from which C; `make sanitize` builds them elsewhere with SANITIZE added to the flags.
BUILD := target
SOURCE := native
SANITIZE :=
SANITIZE_DOUBLE :=

# The C kernels: one library with every instruction set of this processor family, chosen at run time.
CC := $(shell for cc in $$CC gcc clang cc; do command -v $$cc >/dev/null 2>&1 && echo $$cc && break; done)
SYSTEM := $(shell uname -s)
PROCESSOR := $(patsubst aarch64,arm64,$(shell uname -m))
PLATFORM := $(if $(filter Darwin,$(SYSTEM)),macosx,linux)-$(PROCESSOR)
LIBRARY := librecur.$(if $(filter Darwin,$(SYSTEM)),dylib,so)
KERNELS := $(BUILD)/native/io/recur/device/$(PLATFORM)/$(LIBRARY)
SETS := $(if $(filter arm64,$(PROCESSOR)),neon,sse2 avx2 avx512)
# Aligned, or a change anywhere moves the inner loops across lines of the cache: up to 2 % of a short sequence.
CFLAGS := -std=c11 -O3 -falign-functions=64 -falign-loops=32 -ffp-contract=fast -fno-math-errno -fPIC -fvisibility=hidden -Wall -Wextra -Werror -pthread
FLAGS_sse2 :=
FLAGS_avx2 := -mavx2 -mfma
FLAGS_avx512 := -mavx512f -mavx512dq -mfma
FLAGS_neon :=
SHARED_FILES := context team products program passes
KERNEL_FILES := set panels matrices interpreter operations weights arithmetic gradients sums pointwise \
	binary columns reductions updates
OBJECTS := $(foreach file,$(SHARED_FILES),$(BUILD)/native-objects/$(file).o) \
	$(foreach set,$(SETS),$(foreach file,$(KERNEL_FILES),$(BUILD)/native-objects/$(set)/$(file).o))

# The stand-in for CUDA on which the tests run where there is no GPU, with its kernels compiled for the host. Linux only.
DOUBLE := $(if $(filter Linux,$(SYSTEM)),$(dir $(KERNELS))librecur-double.so)
DOUBLE_FILES := $(basename $(notdir $(wildcard native/double/*.c)))
DOUBLE_PROGRAMS := recur faults
DOUBLE_OBJECTS := $(DOUBLE_FILES:%=$(BUILD)/native-objects/double/%.o) \
	$(DOUBLE_PROGRAMS:%=$(BUILD)/native-objects/double/%-program.o) $(DOUBLE_PROGRAMS:%=$(BUILD)/native-objects/double/%-source.o)
# As it leaves stacks by longjmp, no check of where a jump leads to.
DOUBLE_FLAGS := -std=c11 -ffp-contract=fast -fno-math-errno -fno-strict-aliasing -U_FORTIFY_SOURCE \
	-fPIC -fvisibility=hidden -Wall -Wextra -Werror -pthread
recur_FILES := $(addprefix native/cuda/,$(shell cat native/cuda/FILES))
faults_FILES := native/cuda/prelude.cu native/double/faults.cu

SOURCES := pom.xml $(shell find src/main bindings/java -name '*.java' -o -name '*.html') $(wildcard native/cuda/*)
BENCHMARKS := jmh/pom.xml jmh/bench/pom.xml $(shell find jmh/bench/src -name '*.java')
DRIVER := $(shell find jmh/peers/driver/src jmh/peers/contenders/src/main jmh/peers/contenders/src/recur -name '*.java')
CONTENDERS := jmh/pom.xml jmh/peers/contenders/pom.xml $(shell find jmh/peers/contenders/src -name '*.java')
RIVALS := onnxruntime djl dl4j onednn

.PHONY: help run test soak bench serve-bench http-bench kafka-bench peers silero test-gpu bring-up host-gpu bench-gpu pack kernels native sanitize bindings clean

# The first target: what make alone does.
help:
	@sed -n '/^# make/,/^$$/s/^# \{0,1\}//p' Makefile

run: target/recur-cli.jar
	@"$(JDK)/bin/java" -jar target/recur-cli.jar $(ARGS)

# Quiet, and its output whole where it fails.
target/recur-cli.jar: $(SOURCES) $(if $(CC),$(KERNELS))
	@mkdir -p target
	@$(MAVEN) -q -B package -DskipTests -Dspotless.check.skip >target/build.log 2>&1 || { cat target/build.log; exit 1; }
	@touch $@

test: native
	$(MAVEN) -B verify

soak: native
	$(MAVEN) -B test -Dgroups=soak -DexcludedGroups=none -Dspotless.check.skip

jmh/bench/target/benchmarks.jar: target/recur-cli.jar $(BENCHMARKS)
	@$(MAVEN) -q -B install -DskipTests -Dspotless.check.skip -Dmaven.javadoc.skip >target/build.log 2>&1 || { cat target/build.log; exit 1; }
	@$(MAVEN) -q -B -f jmh/pom.xml -pl bench package >target/build.log 2>&1 || { cat target/build.log; exit 1; }
	@touch $@

# What Panama costs is measured against the same calls from C.
jmh/bench/target/panama: jmh/bench/src/main/c/panama.c native/recur.h
	@mkdir -p $(@D)
	@$(CC) -std=c11 -O3 -Wall -Wextra -Werror -Inative -o $@ $< -ldl

bench: jmh/bench/target/benchmarks.jar $(if $(CC),jmh/bench/target/panama)
	@"$(JDK)/bin/java" --enable-native-access=ALL-UNNAMED -jar jmh/bench/target/benchmarks.jar $(BENCH)

# Each part in a process of its own: a million states need as much native memory.
SERVE_JAVA = "$(JDK)/bin/java" --enable-native-access=ALL-UNNAMED -cp jmh/bench/target/benchmarks.jar
SERVING := jmh/peers/contenders/target/serving
JETTY := jmh/peers/contenders/target/jetty
HELIDON := jmh/peers/contenders/target/helidon
serve-bench: jmh/bench/target/benchmarks.jar
	@$(SERVE_JAVA) -Xmx512m io.recur.jmh.Serve throughput $(SERVE)
	@echo "with ZGC:"; $(SERVE_JAVA) -Xmx512m -XX:+UseZGC io.recur.jmh.Serve throughput $(SERVE)
	@$(SERVE_JAVA) -Xmx128m -XX:MaxDirectMemorySize=2g io.recur.jmh.Serve longs $(SERVE)
	@$(SERVE_JAVA) -Xmx128m -XX:MaxDirectMemorySize=2g io.recur.jmh.Serve texts $(SERVE)
	@$(SERVE_JAVA) -Xmx128m -XX:MaxDirectMemorySize=4g io.recur.jmh.Serve file $(SERVE)
	@$(SERVE_JAVA) -Xmx128m -XX:MaxDirectMemorySize=2g io.recur.jmh.Serve day $(SERVE)
	@$(MAKE) --no-print-directory http-bench
	@$(if $(KAFKA),$(MAKE) --no-print-directory kafka-bench)

http-bench: jmh/bench/target/benchmarks.jar $(SERVING)/built $(JETTY)/built $(HELIDON)/built
	@$(SERVE_JAVA) -Xmx256m io.recur.jmh.HttpServe $(SERVE) --python="$(if $(filter-out undefined default file,$(origin PYTHON)),$(PYTHON))" \
	    --jetty="$$([ -f $(JETTY)/classpath.txt ] && echo "$(JETTY)/classes:$$(cat $(JETTY)/classpath.txt):target/recur-cli.jar")" \
	    --helidon="$$([ -f $(HELIDON)/classpath.txt ] && echo "$(HELIDON)/classes:$$(cat $(HELIDON)/classpath.txt):target/recur-cli.jar")" \
	    --rival="$$([ -f $(SERVING)/classpath.txt ] && echo "$(SERVING)/classes:$$(cat $(SERVING)/classpath.txt):target/recur-cli.jar")"

# Nothing but this target resolves the broker's jars.
jmh/kafka/target/built: jmh/bench/target/benchmarks.jar jmh/kafka/pom.xml $(shell find jmh/kafka/src -name '*.java')
	@mkdir -p $(@D)
	@rm -f $@
	@if $(MAVEN) -q -B -f jmh/pom.xml -pl kafka process-classes >$(@D)/build.log 2>&1; then touch $@; fi

kafka-bench: jmh/kafka/target/built
	@if [ -e $< ]; then \
	  "$(JDK)/bin/java" --enable-native-access=ALL-UNNAMED -Xmx1g \
	    -cp jmh/kafka/target/classes:$$(cat jmh/kafka/target/classpath.txt) io.recur.jmh.kafka.KafkaServe $(SERVE); \
	else \
	  echo "Kafka: SKIPPED: the broker's jars cannot be had, see jmh/kafka/target/build.log"; \
	fi

# Nothing but this target resolves the rivals' jars: one Maven run per rival, as their class paths collide. A rival
# whose jars cannot be had does not stop the others; the run prints it and leaves it out.
jmh/peers/contenders/target/%/built: $(CONTENDERS)
	@mkdir -p $(@D)
	@rm -f $(@D)/classpath.txt
	@if $(MAVEN) -q -B -f jmh/pom.xml -pl peers/contenders -Drival=$* process-classes >$(@D)/build.log 2>&1; then touch $@; fi

# The machine's own limits; without a C compiler the run leaves them out, and says so.
jmh/peers/target/limits: jmh/peers/limits.c
	@mkdir -p $(@D)
	@$(CC) -std=c11 -O3 -ffp-contract=fast -Wall -Wextra -Werror -pthread -o $@ $<

ifneq ($(BASE),)
# Neither Maven's shared repository nor a rival is needed: each build is started from its own tree.
peers: jmh/peers/target/gpu.jar
	@tree=$$(MAVEN="$(MAVEN)" jmh/peers/base "$(BASE)" "$(MAKE)") && \
	  "$(JDK)/bin/java" -cp jmh/peers/target/gpu.jar:target/recur-cli.jar io.recur.peers.BaseDriver \
	    "$$(basename "$$tree")" "$$tree" "$(PEERS)" "$(TURNS)" "$(LIMIT)"
else
peers: jmh/peers/target/gpu.jar $(if $(CC),jmh/peers/target/limits) $(RIVALS:%=jmh/peers/contenders/target/%/built)
	@"$(JDK)/bin/java" -cp jmh/peers/target/gpu.jar:target/recur-cli.jar io.recur.peers.Driver \
	    "$(PYTHON)" "$(PEERS)" "$(PEERS_ROUNDS)"
endif

silero: target/recur-cli.jar jmh/peers/contenders/target/onnxruntime/built
	@jmh/silero/run "$(JDK)" "$(SPEECH)"

# Whether the GPU can be used, or the reason why not.
RECUR := "$(JDK)/bin/java" --enable-native-access=ALL-UNNAMED -cp target/recur-cli.jar io.recur.cli.Main

test-gpu: target/recur-cli.jar
	@if $(RECUR) devices $(GPU); then \
	  $(MAVEN) -B test-compile surefire:test -Dio.recur.test.device=$(GPU) -DexcludedGroups=cpu,soak \
	    $(if $(PER_CLASS),-DreuseForks=false); \
	else \
	  echo "make test-gpu: SKIPPED: $(GPU) cannot be used here, for the reason above"; \
	fi

# The driver and our own contender. No Maven: all that they need is in the command's jar.
jmh/peers/target/gpu.jar: target/recur-cli.jar $(DRIVER)
	@rm -rf jmh/peers/target/gpu && mkdir -p jmh/peers/target/gpu
	@"$(JDK)/bin/javac" --release 22 -Xlint:all,-restricted,-processing,-classfile -Werror -proc:none \
	  -d jmh/peers/target/gpu -cp target/recur-cli.jar $(DRIVER)
	@"$(JDK)/bin/jar" --create --file $@ -C jmh/peers/target/gpu .

bench-gpu: jmh/peers/target/gpu.jar
	@if $(RECUR) devices $(GPU); then \
	  "$(JDK)/bin/java" -cp jmh/peers/target/gpu.jar:target/recur-cli.jar io.recur.peers.GpuDriver \
	    "$(PYTHON)" $(GPU) "$(BENCH_GPU)" $(BENCH_GPU_ROUNDS); \
	else \
	  echo "make bench-gpu: SKIPPED: $(GPU) cannot be used here, for the reason above"; \
	fi

# Runs tests without Maven.
JUNIT_VERSION := $(shell sed -n 's:.*<junit.version>5\.\(.*\)</junit.version>.*:1.\1:p' pom.xml)
JUNIT := target/junit-platform-console-standalone-$(JUNIT_VERSION).jar
$(JUNIT):
	@$(MAVEN) -q -B dependency:copy -DoutputDirectory=target \
	  -Dartifact=org.junit.platform:junit-platform-console-standalone:$(JUNIT_VERSION)

# What the tests need beside the command's jar and the console launcher.
TEST_CLASS_PATH := target/test-class-path
$(TEST_CLASS_PATH): pom.xml
	@mkdir -p $(@D)
	@$(MAVEN) -q -B dependency:build-classpath -DincludeScope=test -Dmdep.outputFile=$@ \
	  -DexcludeGroupIds=org.junit.jupiter,org.junit.platform,org.opentest4j,org.apiguardian,org.bytedeco
	@touch $@

# The tests of the present tree, compiled.
target/tests-built: target/recur-cli.jar $(TEST_CLASS_PATH) $(shell find src/test -type f)
	@$(MAVEN) -q -B test-compile -Dspotless.check.skip >target/build.log 2>&1 || { cat target/build.log; exit 1; }
	@touch $@

bring-up: jmh/peers/target/gpu.jar target/tests-built $(JUNIT)
	@"$(JDK)/bin/java" -cp jmh/peers/target/gpu.jar:target/recur-cli.jar io.recur.peers.BringUp \
	    $(GPU) target/test-classes "$(JUNIT):$$(cat $(TEST_CLASS_PATH))" "$(PYTHON)" "$(BRING_UP)"

host-gpu: jmh/peers/target/gpu.jar target/tests-built native
	@"$(JDK)/bin/java" -cp jmh/peers/target/gpu.jar:target/recur-cli.jar io.recur.peers.HostDriver \
	    $(DOUBLE) $(HOST_GPU) target/test-classes

pack: jmh/peers/target/gpu.jar target/tests-built $(JUNIT)
	@jmh/pack "$(JDK)" $(JUNIT) $(TEST_CLASS_PATH) target/recur-gpu.tar.gz

# Without a compiler everything still works: the kernels in Java take over, and say so once.
ifeq ($(CC),)
kernels native:
	@echo "make $@: no C compiler found (gcc or clang, or set CC): the library will run on its slower Java kernels"
else
kernels: $(KERNELS)
native: $(KERNELS) $(DOUBLE)

$(KERNELS): $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) -shared -pthread $(SANITIZE) -o $@ $^ -lm

# Calls of every kernel, for sanitizers to watch.
HARNESS_OBJECTS := $(foreach file,harness calls programs,$(BUILD)/native-objects/sanitize/$(file).o)
$(HARNESS_OBJECTS): $(SOURCE)/sanitize/harness.h $(SOURCE)/recur.h $(wildcard $(SOURCE)/cuda/*.h)
$(BUILD)/harness: $(HARNESS_OBJECTS) $(OBJECTS)
	$(CC) -pthread $(SANITIZE) -o $@ $^ -lm

$(foreach file,$(SHARED_FILES),$(BUILD)/native-objects/$(file).o): $(wildcard $(SOURCE)/*.h $(SOURCE)/cuda/*.h)
$(BUILD)/native-objects/%.o: $(SOURCE)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -c $< -o $@

define kernels_of
$(BUILD)/native-objects/$(1)/%.o: $(SOURCE)/%.c $$(wildcard $(SOURCE)/*.h $(SOURCE)/cuda/*.h)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -DSET=$(1) $$(FLAGS_$(1)) $$(SANITIZE) -c $$< -o $$@
endef
$(foreach set,$(SETS),$(eval $(call kernels_of,$(set))))

# Kept like the others, or every build would compile them again.
.SECONDARY: $(DOUBLE_OBJECTS)
$(BUILD)/native/%/librecur-double.so: $(DOUBLE_OBJECTS)
	@mkdir -p $(@D)
	$(CC) -shared -pthread $(SANITIZE) -o $@ $^ -lm -ldl

$(BUILD)/native-objects/double/%.o: native/double/%.c $(wildcard native/double/*.h)
	@mkdir -p $(@D)
	$(CC) $(DOUBLE_FLAGS) -O3 $(SANITIZE) $(SANITIZE_DOUBLE) -c $< -o $@

# A program as C, which knows the files of its lines, and its text, which the double compares with what it is given.
define program_of
$(BUILD)/native-objects/double/$(1)-program.o: $$($(1)_FILES) native/cuda/FILES
	@mkdir -p $$(@D)
	@awk 'FNR == 1 { print "#line 1 \"" FILENAME "\"" } { print }' $$($(1)_FILES) >$$(@:.o=.c)
	$$(CC) $$(DOUBLE_FLAGS) -O2 $$(SANITIZE) $$(SANITIZE_DOUBLE) '-DPROGRAM="$(1)"' -c $$(@:.o=.c) -o $$@

$(BUILD)/native-objects/double/$(1)-source.o: $$($(1)_FILES) native/cuda/FILES
	@mkdir -p $$(@D)
	@{ echo 'const char source_of_$(1)[] ='; \
	  cat $$($(1)_FILES) | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$$$/\\n"/'; echo ';'; } >$$(@:.o=.c)
	$$(CC) $$(DOUBLE_FLAGS) -c $$(@:.o=.c) -o $$@
endef
$(foreach program,$(DOUBLE_PROGRAMS),$(eval $(call program_of,$(program))))
endif

sanitize:
	@MAVEN="$(MAVEN)" CC="$(CC)" native/sanitize/run "$(MAKE)" "$(JDK)" "$(SANITIZE_SECONDS)" "$(SANITIZE_TESTS)"

bindings:
	@bindings/generate

clean:
	$(MAVEN) -q -B clean
	rm -rf jmh/bench/target jmh/peers/target jmh/peers/*/target
