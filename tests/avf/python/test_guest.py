"""MicrodroidTests that look at a running guest. One VM serves them all."""
from harness import FEATURES, avf_test


@avf_test
def createAndConnectToVm(guest):
    assert guest.addInteger(123, 456) == "579"
    assert guest.readProperty("debug.microdroid.app.run") == "true"
    assert guest.readProperty("debug.microdroid.app.sublib.run") == "true"
    assert guest.getApkContentsPath() == "/mnt/apk"
    assert guest.getEncryptedStoragePath() == ""
    if not FEATURES["identity"]:
        secret = bytes.fromhex(guest.insecurelyExposeVmInstanceSecret())
        assert len(secret) == 32
