"""client.py PLACE WHAT CALLS: the calls from Python; see client.c."""
import pathlib
import socket
import sys
import threading
import time

import avf
import avf.rpc

HERE = pathlib.Path(__file__).resolve().parent
RPC_PORT = 5679
BOOT_S = 180
SLICES = 10
#: as in place.c: what, size, threads, one of so many calls
WORKS = [("add", 0, 1, 1), ("4k", 4096, 1, 2), ("4k_4_threads", 4096, 4, 2),
         ("64k", 65536, 1, 10), ("64k_4_threads", 65536, 4, 10)]


def start_vm(place, package):
    vm = avf.Vm(avf.Config(
        package=package, payload_name="libbench_rpc.so", boot_timeout=BOOT_S,
        acceleration=avf.Acceleration.KVM if place == "kvm"
        else avf.Acceleration.EMULATION))
    vm.run()
    for event in vm.events():
        if event.type == avf.EventType.PAYLOAD_READY:
            return vm
    sys.exit("the VM stopped")


def dial(place, what, vm):
    if vm:
        return vm.connect(RPC_PORT, BOOT_S)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(f"{what}/rpc")
    return sock


def measure(bench, size, threads, count):
    data = bytes(size)

    def run(n):
        if size == 0:
            for _ in range(n):
                assert bench.add(123, 321) == 444
        else:
            for _ in range(n):
                assert bench.take(data) == size

    run(10)
    all_threads = [threading.Thread(target=run, args=(count // threads,))
                   for _ in range(threads)]
    start = time.monotonic_ns()
    for each in all_threads:
        each.start()
    for each in all_threads:
        each.join()
    return (time.monotonic_ns() - start) / 1e3 / (count // threads * threads)


def main(place, what, calls):
    vm = None if place == "unix" else start_vm(place, what)
    aidl = avf.rpc.load(HERE / "org/avf/bench/IBench.aidl")
    session = avf.rpc.Session()
    bench = aidl.IBench(session.connect(lambda: dial(place, what, vm)))
    for name, size, threads, share in WORKS:
        for _ in range(SLICES):
            us = measure(bench, size, threads,
                         max(int(calls) // SLICES // share, threads))
            print(f"sample rpc.{place}.python.{name} us {us:.3f}",
                  flush=True)
    session.shutdown()
    if vm:
        vm.close()


main(*sys.argv[1:])
