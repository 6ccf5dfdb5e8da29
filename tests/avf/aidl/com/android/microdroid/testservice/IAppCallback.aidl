package com.android.microdroid.testservice;

import com.android.microdroid.testservice.IVmCallback;

/** Implemented by the app, called from the VM. */
interface IAppCallback {
    void setVmCallback(IVmCallback vm);

    void onEchoRequestReceived(String message);
}
