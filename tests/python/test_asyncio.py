"""VMs in an event loop."""
import asyncio
import subprocess
import sys
import unittest

import avf
import support
from avf import EventType, StopReason
from support import bare

TIMEOUT = 30


def vm_of(guest):
    return avf.Vm(avf.Config(kernel=bare(guest)))


class Asyncio(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        support.needs_kvm()

    async def test_three_at_once(self):
        async def script(guest):
            with vm_of(guest) as vm:
                vm.run()
                return [event async for event in vm.events()][-1].code

        guests = {"hello": StopReason.SHUTDOWN, "reset": StopReason.REBOOT}
        if support.has_triple_fault():
            guests["triple"] = StopReason.CRASH
        codes = await asyncio.wait_for(asyncio.gather(
            *map(script, guests)), TIMEOUT)
        self.assertEqual(codes, list(guests.values()))

    async def test_channel(self):
        with vm_of("vsock") as vm:
            vm.run()
            sock = await vm.connect_async(5678)
            reader, writer = await asyncio.open_connection(sock=sock)
            writer.write(b"hello")
            self.assertEqual(await reader.readexactly(5), b"hello")
            writer.close()
            await writer.wait_closed()
            async for event in vm.events():
                pass
            self.assertEqual(event.code, StopReason.SHUTDOWN)

    async def test_cancelling_loses_no_event(self):
        with vm_of("spin") as vm:
            support.started(vm)
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(vm.wait_event_async(), 0.05)
            vm.kill()
            event = await asyncio.wait_for(vm.wait_event_async(), TIMEOUT)
            self.assertEqual(event.code, StopReason.KILLED)

    async def test_two_tasks_wait(self):
        with vm_of("spin") as vm:
            support.started(vm)
            tasks = [asyncio.create_task(vm.wait_event_async())
                     for _ in range(2)]
            await asyncio.sleep(0.05)
            vm.kill()
            done = await asyncio.wait_for(asyncio.gather(*tasks), TIMEOUT)
            self.assertEqual(sum(bool(event) for event in done), 1)

    async def test_close_wakes_tasks(self):
        vm = vm_of("spin")
        support.started(vm)
        listener = vm.listen(6000)
        tasks = [asyncio.create_task(vm.wait_event_async()),
                 asyncio.create_task(listener.accept_async())]
        await asyncio.sleep(0.05)
        vm.close()
        listener.close()
        for error in await asyncio.wait_for(
                asyncio.gather(*tasks, return_exceptions=True), TIMEOUT):
            self.assertIsInstance(error, avf.AvfError)
        self.assertEqual(support.n_children(), 0)

    async def test_no_fd_is_left(self):
        async def once():
            with vm_of("hello") as vm:
                vm.run()
                async for _ in vm.events():
                    pass

        await once()
        before = support.n_fds()
        for _ in range(10):
            await once()
        self.assertEqual(support.n_fds(), before)

    def test_the_example(self):
        program = support.SOURCE / "examples" / "python" / "three_vms.py"
        # a triple fault ends a VM on KVM and under emulation alike
        guest = bare("triple" if support.has_triple_fault() else "reset")
        done = subprocess.run([sys.executable, program, guest], timeout=60,
                              check=True, text=True, stdout=subprocess.PIPE)
        # how they end depends on whether this host emulates
        self.assertEqual(done.stdout.count(": STOPPED"), 3)


support.main()
