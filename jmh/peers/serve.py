"""PyTorch behind a server of Python's own: `make serve-bench PYTHON=...` starts this.

The part of the Open Inference Protocol that the clients of HttpLoad.java send, requests that wait
stepped together as one batch, on one thread. Needs torch and onnx, whose file has the weights.
"""
import http.server
import json
import queue
import socketserver
import sys
import threading

import numpy as np
import onnx
import onnx.numpy_helper
import torch

UNITS, LARGEST = 512, 256


def model(path):
    graph = onnx.load(path).graph
    node = next(node for node in graph.node if node.op_type == "LSTM")
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    w, r, b = (tensors[name][0] for name in node.input[1:4])
    order = [0, 2, 3, 1]  # ONNX: input, output, forget, cell; PyTorch: input, forget, cell, output
    gates = lambda a: torch.from_numpy(np.concatenate([np.split(a, 4)[i] for i in order]).copy())
    cell = torch.nn.LSTMCell(UNITS, UNITS)
    with torch.no_grad():
        cell.weight_ih.copy_(gates(w))
        cell.weight_hh.copy_(gates(r))
        cell.bias_ih.copy_(gates(b[: 4 * UNITS]))
        cell.bias_hh.copy_(gates(b[4 * UNITS:]))
    return cell


class Step:
    def __init__(self, session, start, x):
        self.session, self.start, self.x, self.y, self.done = session, start, x, None, threading.Event()


def serve_steps(cell, waiting, states):
    zero = torch.zeros(UNITS)
    with torch.inference_mode():
        while True:
            batch = [waiting.get()]
            while len(batch) < LARGEST and not waiting.empty():
                batch.append(waiting.get())
            for step in batch:
                if step.start:
                    states[step.session] = (zero, zero)
            x = torch.from_numpy(np.stack([step.x for step in batch]))
            h = torch.stack([states[step.session][0] for step in batch])
            c = torch.stack([states[step.session][1] for step in batch])
            h, c = cell(x, (h, c))
            for i, step in enumerate(batch):
                states[step.session] = (h[i], c[i])
                step.y = h[i].numpy()
                step.done.set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        header = int(self.headers.get("Inference-Header-Content-Length", len(body)))
        request = json.loads(body[:header])
        parameters = request["parameters"]
        binary = header < len(body)
        x = np.frombuffer(body[header:], "<f4") if binary else np.array(request["inputs"][0]["data"], np.float32)
        step = Step(parameters["sequence_id"], parameters.get("sequence_start", False), x)
        self.server.waiting.put(step)
        step.done.wait()
        output = {"name": "y", "datatype": "FP32", "shape": [1, UNITS]}
        if binary:
            output["parameters"] = {"binary_data_size": 4 * UNITS}
        else:
            output["data"] = step.y.tolist()
        text = json.dumps({"model_name": "lstm", "model_version": "1", "outputs": [output]}).encode()
        answer = text + step.y.astype("<f4").tobytes() if binary else text
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        if binary:
            self.send_header("Inference-Header-Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256


torch.set_num_threads(1)
server = Server(("127.0.0.1", 0), Handler)
server.waiting = queue.SimpleQueue()
threading.Thread(target=serve_steps, args=(model(sys.argv[1]), server.waiting, {}), daemon=True).start()
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
sys.stdin.read()
