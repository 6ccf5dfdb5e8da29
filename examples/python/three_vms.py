"""Three VMs at once in one asyncio loop, each scripted by a coroutine.

    PYTHONPATH=build/dev/python python3 three_vms.py KERNEL [INITRAMFS]
"""
import asyncio
import sys

import avf


async def script(number: int, config: avf.Config) -> None:
    with avf.Vm(config) as vm:
        vm.run()
        async for event in vm.events():
            print(f"VM {number}: {event.type.name} {event.text}")
            if event.type == avf.EventType.STOPPED:
                print(f"VM {number}: {event.code.name}")


async def main(kernel: str, initrd: str | None = None) -> None:
    config = avf.Config(kernel=kernel)
    config.acceleration = avf.Acceleration.KVM_OR_EMULATION
    if initrd:
        config.set_initrd(initrd)
    await asyncio.gather(*(script(i, config) for i in range(3)))


asyncio.run(main(*sys.argv[1:]))
