package android.system.virtualmachine;

import java.util.ArrayList;
import java.util.List;

/** A guest of the caller's own: a kernel, and what it boots from. */
public class VirtualMachineCustomImageConfig {
    private final String name;
    private final String kernelPath;
    private final String initrdPath;
    private final String[] params;
    private final Disk[] disks;

    private VirtualMachineCustomImageConfig(Builder b) {
        name = b.name;
        kernelPath = b.kernelPath;
        initrdPath = b.initrdPath;
        params = b.params.toArray(new String[0]);
        disks = b.disks.toArray(new Disk[0]);
    }

    public String getName() {
        return name;
    }

    public String getKernelPath() {
        return kernelPath;
    }

    public String getInitrdPath() {
        return initrdPath;
    }

    public String[] getParams() {
        return params.clone();
    }

    public Disk[] getDisks() {
        return disks.clone();
    }

    /** A disk of one image. */
    public static class Disk {
        private final boolean writable;
        private final String imagePath;

        private Disk(boolean writable, String imagePath) {
            this.writable = writable;
            this.imagePath = imagePath;
        }

        public static Disk RWDisk(String imagePath) {
            return new Disk(true, imagePath);
        }

        public static Disk RODisk(String imagePath) {
            return new Disk(false, imagePath);
        }

        public boolean isWritable() {
            return writable;
        }

        public String getImagePath() {
            return imagePath;
        }
    }

    public static final class Builder {
        private String name;
        private String kernelPath;
        private String initrdPath;
        private final List<String> params = new ArrayList<>();
        private final List<Disk> disks = new ArrayList<>();

        public Builder setName(String name) {
            this.name = name;
            return this;
        }

        public Builder setKernelPath(String kernelPath) {
            this.kernelPath = kernelPath;
            return this;
        }

        public Builder setInitrdPath(String initrdPath) {
            this.initrdPath = initrdPath;
            return this;
        }

        public Builder addParam(String param) {
            params.add(param);
            return this;
        }

        public Builder addDisk(Disk disk) {
            disks.add(disk);
            return this;
        }

        public VirtualMachineCustomImageConfig build() {
            return new VirtualMachineCustomImageConfig(this);
        }
    }
}
