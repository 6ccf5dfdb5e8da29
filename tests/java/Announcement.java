import static android.system.virtualmachine.VirtualMachineManager.CAPABILITY_NON_PROTECTED_VM;
import static android.system.virtualmachine.VirtualMachineManager.CAPABILITY_PROTECTED_VM;

import android.content.Context;
import android.content.pm.PackageManager;
import android.system.virtualmachine.VirtualMachineManager;

/**
 * Code of an Android app that asks whether there are VMs, in the idioms of
 * AVF's announcement and of its documentation. Only main() is of Linux.
 */
public class Announcement {
    private final Context context;

    Announcement(Context context) {
        this.context = context;
    }

    private String detect() {
        VirtualMachineManager vmm =
                context.getSystemService(VirtualMachineManager.class);
        String answer = "";
        if (vmm == null)
            return "AVF is not supported";
        int capabilities = vmm.getCapabilities();
        if ((capabilities & CAPABILITY_PROTECTED_VM) != 0)
            answer += "protected VMs; ";
        if ((capabilities & CAPABILITY_NON_PROTECTED_VM) != 0)
            answer += "non-protected VMs; ";
        return answer + "AVF is supported";
    }

    private boolean hasFeature() {
        PackageManager packages = context.getPackageManager();
        return packages.hasSystemFeature(
                PackageManager.FEATURE_VIRTUALIZATION_FRAMEWORK);
    }

    public static void main(String[] args) {
        Announcement app = new Announcement(new avf.LinuxContext());
        System.out.println(app.detect());
        System.out.println("feature: " + app.hasFeature());
    }
}
