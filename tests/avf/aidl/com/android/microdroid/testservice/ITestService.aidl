package com.android.microdroid.testservice;

import com.android.microdroid.testservice.IAppCallback;

/**
 * What the payload of AVF's tests can be asked: AVF's methods in AVF's order.
 * A method that fails says why in a service specific error; one for which this
 * guest has no means, in EX_UNSUPPORTED_OPERATION.
 */
interface ITestService {
    const int PORT = 5678;

    int addInteger(int a, int b);

    /** A property of the payload; "" for one that is not set. */
    String readProperty(String name);

    /** The 32 bytes of the VM's instance secret. */
    byte[] insecurelyExposeVmInstanceSecret();

    byte[] insecurelyExposeAttestationCdi();

    /** The DICE chain. */
    byte[] getBcc();

    String getApkContentsPath();

    /** "" when there is no encrypted storage. */
    String getEncryptedStoragePath();

    /** Then port 0x80000001 takes one connection, and answers each line by
     * its bytes in reverse. */
    void runEchoReverseServer();

    /** The names of the process's capabilities. */
    String[] getEffectiveCapabilities();

    int getUid();

    void writeToFile(String content, String path);

    String readFromFile(String path);

    /** st_mode. */
    int getFilePermissions(String path);

    /** f_flag of statvfs(). */
    int getMountFlags(String path);

    /** Gives the app an object of the VM, which calls the app back. */
    void requestCallback(IAppCallback app);

    /** A line that was typed, without its LF. */
    String readLineFromConsole();

    /** The payload returns 0. Calls that are under way may fail. */
    oneway void quit();
}
