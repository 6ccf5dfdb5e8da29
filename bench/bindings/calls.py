"""The Python side of bench/bindings.sh; see calls.c."""
import asyncio
import sys
import time

import avf

N_STATUS = 200000


def sample(name, us):
    print(f"sample {name} us {us:.3f}")


def vm_of(dir, guest, name):
    return avf.Vm(avf.Config(kernel=f"{dir}/{guest}.elf", memory_mib=16,
                             name=name))


def calls(dir, n):
    for _ in range(n):
        start = time.monotonic_ns()
        avf.probe()
        sample("probe", (time.monotonic_ns() - start) / 1e3)
    with vm_of(dir, "vsock", "calls") as vm:
        vm.run()
        while vm.wait_event().type != avf.EventType.STARTED:
            pass
        start = time.monotonic_ns()
        for _ in range(N_STATUS):
            vm.status
        sample("status", (time.monotonic_ns() - start) / 1e3 / N_STATUS)
        for _ in range(n):
            start = time.monotonic_ns()
            try:
                vm.connect(4444)
            except avf.AvfError as error:
                sample("connect", (time.monotonic_ns() - start) / 1e3)
                assert error.name == "AVF_ERR_REFUSED", error


async def events(dir, n):
    with vm_of(dir, "vsock", "payload") as vm:
        for _ in range(n):
            vm.run()
            async for event in vm.events():
                if event.type == avf.EventType.PAYLOAD_READY:
                    sample("event",
                           (time.monotonic_ns() - event.time_ns) / 1e3)


if sys.argv[1] == "calls":
    calls(sys.argv[2], int(sys.argv[3]))
else:
    asyncio.run(events(sys.argv[2], int(sys.argv[3])))
