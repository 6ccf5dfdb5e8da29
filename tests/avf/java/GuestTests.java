import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** MicrodroidTests that look at a running guest. One VM serves them all. */
class GuestTests {
    @Test
    void createAndConnectToVm() throws Exception {
        Service guest = TestVms.guest();
        assertEquals("579", guest.call("addInteger", 123, 456));
        assertEquals("true",
                guest.call("readProperty", "debug.microdroid.app.run"));
        assertEquals("true", guest.call("readProperty",
                "debug.microdroid.app.sublib.run"));
        assertEquals("/mnt/apk", guest.call("getApkContentsPath"));
        assertEquals("", guest.call("getEncryptedStoragePath"));
        if (Features.have("identity"))
            assertEquals(64, guest.call("insecurelyExposeVmInstanceSecret")
                    .length());
    }
}
