package avf.internal;

/** struct avf_event. JNI calls set(). */
public final class EventRecord {
    public int type;
    public int code;
    public long timeNs;
    public String text;

    void set(int type, int code, long timeNs, byte[] text) {
        this.type = type;
        this.code = code;
        this.timeNs = timeNs;
        this.text = Text.fromNative(text);
    }
}
