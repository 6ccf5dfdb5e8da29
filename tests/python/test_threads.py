"""Several threads on one VM: nobody sleeps on, nothing is freed in use, and
the interpreter goes on while one waits."""
import signal
import threading
import time
import unittest

import avf
import support
from avf import EventType
from support import bare

TIMEOUT = 30


class Threads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.needs_kvm()

    def setUp(self):
        self.vm = avf.Vm(avf.Config(kernel=bare("spin")))
        support.started(self.vm)
        self.results = []

    def tearDown(self):
        self.vm.close()
        self.assertEqual(support.n_children(), 0)

    def start(self, function, *args):
        def body():
            try:
                self.results.append(function(*args))
            except avf.AvfError as error:
                self.results.append(error)

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread

    def join(self, *threads):
        for thread in threads:
            thread.join(TIMEOUT)
            self.assertFalse(thread.is_alive(), "a thread waits for ever")

    def test_others_run_while_one_waits(self):
        count = 0
        thread = self.start(self.vm.wait_event)
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            count += 1
        self.assertTrue(thread.is_alive())
        self.assertGreater(count, 1000)
        self.vm.kill()
        self.join(thread)
        self.assertEqual(self.results[0].type, EventType.STOPPED)

    def test_the_c_wait_gives_up_the_gil(self):
        # the package polls by itself; its C call must behave as well
        from avf import _native
        with self.vm._handle as pointer:
            # if it kept the lock, nothing below would run for a minute
            thread = self.start(_native.avf_vm_wait_event, pointer, 60000)
            time.sleep(0.05)
            count = sum(1 for _ in range(100000))
            self.assertTrue(thread.is_alive())
            self.assertEqual(count, 100000)
            self.vm.kill()
            self.join(thread)

    def test_all_waiters_hear_of_the_end(self):
        threads = [self.start(self.vm.wait_event) for _ in range(4)]
        time.sleep(0.05)
        self.vm.kill()
        self.join(*threads)
        self.assertEqual(sum(bool(result) for result in self.results), 1)

    def test_close_wakes_waiters(self):
        listener = self.vm.listen(6000)
        threads = [self.start(self.vm.wait_event),
                   self.start(listener.accept),
                   self.start(self.vm.connect, 5678, None)]
        time.sleep(0.05)
        self.vm.close()
        self.join(threads[0], threads[2])
        listener.close()
        self.join(*threads)
        for result in self.results:
            self.assertIsInstance(result, avf.AvfError)

    def test_stop_from_another_thread(self):
        thread = self.start(self.vm.wait_stopped)
        time.sleep(0.05)
        self.vm.stop()
        self.join(thread)
        self.assertEqual(self.results[0].code, avf.StopReason.KILLED)

    def test_close_in_a_signal_handler(self):
        handler = signal.signal(signal.SIGALRM, lambda *_: self.vm.close())
        self.addCleanup(signal.signal, signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with self.assertRaisesRegex(avf.AvfError, "is closed"):
            self.vm.wait_event(TIMEOUT)

    def test_a_signal_ends_the_wait(self):
        def interrupt(*_):
            raise KeyboardInterrupt

        handler = signal.signal(signal.SIGALRM, interrupt)
        self.addCleanup(signal.signal, signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        self.assertRaises(KeyboardInterrupt, self.vm.wait_event)
        self.assertEqual(self.vm.status, avf.Status.RUNNING)

    def test_hammering_one_vm(self):
        stop = threading.Event()

        def hammer():
            while not stop.is_set():
                for call in (self.vm.next_event, self.vm.kill, self.vm.run,
                             lambda: self.vm.wait_event(0.001),
                             lambda: self.vm.status):
                    try:
                        call()
                    except avf.AvfError as error:
                        if error.name != "AVF_ERR_STATE":
                            raise

        threads = [self.start(hammer) for _ in range(4)]
        time.sleep(1)
        stop.set()
        self.join(*threads)
        self.assertEqual(self.results, [None] * 4)


support.main()
