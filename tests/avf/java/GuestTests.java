import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.os.ParcelFileDescriptor;
import android.os.ServiceSpecificException;

import com.android.microdroid.testservice.ITestService;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * MicrodroidTests and MicrodroidHostTests that look at a running guest. One
 * VM serves them all; it is named test_vm.
 */
class GuestTests {
    /* what statvfs() and mount() call alike */
    private static final int MS_RDONLY = 1;
    private static final int MS_NOEXEC = 8;
    private static final int MS_NOATIME = 1024;

    /* the payload's echo_reverse.cpp */
    private static final long ECHO_REVERSE_PORT = 0x80000001L;

    private ITestService guest;

    @BeforeEach
    void connect() throws Exception {
        guest = TestVms.guest();
    }

    private int mountFlags(String path) throws Exception {
        return guest.getMountFlags(path);
    }

    private int mode(String path) throws Exception {
        return guest.getFilePermissions(path);
    }

    @Test
    void createAndConnectToVm() throws Exception {
        assertEquals(579, guest.addInteger(123, 456));
        assertEquals("true",
                guest.readProperty("debug.microdroid.app.run"));
        assertEquals("true",
                guest.readProperty("debug.microdroid.app.sublib.run"));
        assertEquals("/mnt/apk", guest.getApkContentsPath());
        assertEquals("", guest.getEncryptedStoragePath());
        if (Features.have("identity"))
            assertEquals(32, guest.insecurelyExposeVmInstanceSecret().length);
    }

    @Test
    void validApkPathIsAccepted() throws Exception {
        assertEquals(TestVms.PACKAGE,
                TestVms.guestVm().getConfig().getApkPath());
        assertEquals("/mnt/apk", guest.getApkContentsPath());
    }

    @Test
    void connectVsock() throws Exception {
        guest.runEchoReverseServer();
        try (ParcelFileDescriptor channel = TestVms.guestVm()
                .connectVsock(ECHO_REVERSE_PORT)) {
            var out = new ParcelFileDescriptor.AutoCloseOutputStream(channel);
            var in = new ParcelFileDescriptor.AutoCloseInputStream(channel);
            for (String line : new String[] {"echo me!", "", "a\tb"}) {
                TestVms.write(out, line + "\n");
                assertEquals(new StringBuilder(line).reverse().toString(),
                        TestVms.readLine(in));
            }
        }
    }

    @Test
    void microdroidLauncherHasEmptyCapabilities() throws Exception {
        assertArrayEquals(new String[0], guest.getEffectiveCapabilities());
    }

    @Test
    void payloadIsNotRoot() throws Exception {
        assertEquals(6000, guest.getUid());
    }

    @Test
    void canReadFileFromAssets_debugFull() throws Exception {
        assertEquals("Hello, I am a file!",
                guest.readFromFile("/mnt/apk/assets/file.txt"));
    }

    @Test
    void testFileUnderBinHasExecutePermission() throws Exception {
        int mode = mode("/mnt/apk/bin/hello");
        assertEquals(0555, mode & 0555);
        assertEquals(0, mode & 0022);
        assertEquals(0, mode("/mnt/apk/assets/file.txt") & 0111);
    }

    @Test
    void dataIsMountedWithNoExec() throws Exception {
        assertTrue((mountFlags("/data") & MS_NOEXEC) != 0);
    }

    @Test
    void systemPartitionMountFlags() throws Exception {
        int flags = mountFlags("/");
        assertTrue((flags & MS_RDONLY) != 0);
        assertTrue((flags & MS_NOATIME) != 0);
        Expect.fails(ServiceSpecificException.class, "/file: ",
                () -> guest.writeToFile("x", "/file"));
    }

    @Test
    void vmNameIsHostname() throws Exception {
        assertEquals("test_vm\n",
                guest.readFromFile("/proc/sys/kernel/hostname"));
    }

    @Test
    void testConsoleInputSupported() throws Exception {
        try (OutputStream console = TestVms.guestVm().getConsoleInput()) {
            TestVms.write(console, "this is typed\n");
        }
        assertEquals("this is typed", guest.readLineFromConsole());
    }

    /** Output comes on another way than "ready", and maybe later. */
    private static void readUntil(InputStream in, String text)
            throws Exception {
        StringBuilder seen = new StringBuilder();
        while (seen.indexOf(text) < 0) {
            int c = in.read();
            assertTrue(c >= 0, seen.toString());
            seen.append((char) c);
        }
    }

    @Test
    void testMicrodroidBoots() throws Exception {
        try (InputStream console = TestVms.guestVm().getConsoleOutput();
                InputStream log = TestVms.guestVm().getLogOutput()) {
            readUntil(console, "\n");
            readUntil(log, "Hello Microdroid");
        }
        guest.writeToFile("a\tb\\c\n", "/data/file");
        assertEquals("a\tb\\c\n", guest.readFromFile("/data/file"));
    }

    private static int kilobytes(String text, String row) {
        Matcher m = Pattern.compile("^" + row + ": *(\\d+) kB$",
                Pattern.MULTILINE).matcher(text);
        assertTrue(m.find(), text);
        return Integer.parseInt(m.group(1));
    }

    @Test
    void testMicrodroidRamUsage() throws Exception {
        String memory = guest.readFromFile("/proc/meminfo");
        int total = kilobytes(memory, "MemTotal");
        int free = kilobytes(memory, "MemFree");
        assertTrue(0 < free && free < total && total <= 128 * 1024, memory);
        int rss = kilobytes(guest.readFromFile("/proc/self/smaps_rollup"),
                "Rss");
        assertTrue(0 < rss && rss < total);
        System.out.println("MemTotal " + total + " kB, MemFree " + free
                + " kB, the payload " + rss + " kB");
    }

    @Test
    void testNoAvfDebugPolicyInLockedDevice() {
        Expect.fails(ServiceSpecificException.class, "No such file",
                () -> mode("/proc/device-tree/avf/guest"));
    }
}
