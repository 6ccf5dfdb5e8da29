"""A payload in the microguest under emulation: every event of AVF's, a
channel, the log."""
import asyncio
import os
import unittest

import avf
import support
from avf import EventType, StopReason

PACKAGE = support.BUILD / "tests" / "packages" / "good.avfpkg"


class Payload(unittest.IsolatedAsyncioTestCase):
    def config(self, library):
        if not PACKAGE.exists():
            self.skipTest("the packages of the tests are not built")
        if not os.environ.get("AVF_GUEST_IMAGE"):
            self.skipTest("AVF_GUEST_IMAGE names no guest image")
        return avf.Config(package=PACKAGE, payload_name=library,
                          acceleration=avf.Acceleration.EMULATION,
                          debug_level=avf.DebugLevel.FULL,
                          vm_output_captured=True)

    async def talk(self, vm):
        sock = await vm.connect_async(5678)
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(b"hello")
        self.assertEqual(await reader.readexactly(5), b"hello")
        writer.write(b"quit\n")
        await writer.drain()
        await reader.read()
        writer.close()

    async def test_echo(self):
        with avf.Vm(self.config("libecho.so")) as vm:
            vm.run()
            seen = []
            async for event in vm.events():
                if event.type != EventType.LOG:
                    seen.append(event)
                if event.type == EventType.PAYLOAD_READY:
                    await self.talk(vm)
            self.assertEqual([event.type.name for event in seen],
                             ["STARTED", "PAYLOAD_STARTED", "PAYLOAD_READY",
                              "PAYLOAD_FINISHED", "STOPPED"])
            self.assertEqual(seen[3].code, 0)
            self.assertEqual(seen[4].code, StopReason.SHUTDOWN)
            with vm.log_output() as log:
                self.assertIn(b"hello from the payload", log.read())


support.main()
