"""peer.py wasm3|wasmtime MODULE WORK TIMES"""

import sys


class Wasm3:
    def __init__(self, binary):
        import wasm3

        environment = wasm3.Environment()
        self.runtime = environment.new_runtime(1 << 20)
        module = environment.parse_module(binary)
        self.runtime.load(module)
        module.link_function("env", "f", "i(i)", lambda x: x)

    def function(self, name):
        return self.runtime.find_function(name)

    def reader(self, length):
        get_memory = self.runtime.get_memory
        # Looked up each time, since it is valid only until the memory grows.
        return lambda: get_memory(0)[:length].tobytes()


class Wasmtime:
    def __init__(self, binary):
        import wasmtime

        self.store = wasmtime.Store()
        module = wasmtime.Module(self.store.engine, binary)
        i32 = wasmtime.ValType.i32()
        f = wasmtime.Func(self.store, wasmtime.FuncType([i32], [i32]), lambda x: x)
        self.exports = wasmtime.Instance(self.store, module, [f]).exports(self.store)

    def function(self, name):
        function, store = self.exports[name], self.store
        return lambda *args: function(store, *args)

    def reader(self, length):
        memory, store = self.exports["memory"], self.store
        return lambda: memory.read(store, 0, length)


def main(peer, path, work, times):
    times = int(times)
    with open(path, "rb") as file:
        peer = {"wasm3": Wasm3, "wasmtime": Wasmtime}[peer](file.read())
    if work == "call":
        add = peer.function("add")
        for _ in range(times):
            add(40, 2)
    elif work in ("host", "loop"):
        peer.function(work)(times)
    else:
        read = peer.reader({"read64": 64, "read64k": 64 << 10}[work])
        for _ in range(times):
            read()


main(*sys.argv[1:])
