package com.android.microdroid.testservice;

/** Implemented in the VM, called by the app. */
interface IVmCallback {
    /** The app's onEchoRequestReceived() is called with "Received: " and
     * @message. */
    void echoMessage(String message);
}
