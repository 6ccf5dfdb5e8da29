package com.example;

/** What compilers after Debian's take, too. */
interface IModern {
    const int COLUMNS = 3;
    const int ROWS = COLUMNS - 1;

    @Backing(type="int") enum Colour { RED = 1, GREEN = 1 << 1, BLUE = 1 << 2 }
    @Backing(type="long") enum Large { FEW, MANY = 1L << 40 }
    enum Small { A = -1, B = 5 }

    parcelable Shape {
        Colour colour = Colour.GREEN;
        @nullable String name;
        union Form {
            int radius = 3;
            int[2] sides;
            @nullable Shape other;
            Corner[] corners;
        }
        Form form;
        parcelable Corner { int x; int y; }
        ParcelableHolder more;
        Small[] smalls;
        @nullable Map<String, Large> sizes;
    }

    Shape repeatShape(in Shape v);
    @nullable Shape repeatMaybeShape(in @nullable Shape v);
    Shape.Form repeatForm(in Shape.Form v);
    @nullable Shape.Form repeatMaybeForm(in @nullable Shape.Form v);
    Colour repeatColour(Colour v);
    Large repeatLarge(Large v);
    Small repeatSmall(Small v);
    Colour[] reverseColours(in Colour[] v);
    Large[] reverseLarges(in Large[] v);
    Small[] reverseSmalls(in Small[] v);
    int[ROWS][COLUMNS] reverseFixed(in int[ROWS][COLUMNS] v);
    byte[COLUMNS] reverseBytes(in byte[COLUMNS] v);
    @nullable String[2] reverseMaybeTexts(in @nullable String[2] v);
    List<String> reverseTexts(in List<String> v);
    @nullable List<String> reverseMaybeList(in @nullable List<String> v);
    List<Shape.Corner> reverseCorners(in List<Shape.Corner> v);
    List<IBinder> reverseObjects(in List<IBinder> v);
    IModern[] reverseModerns(in IModern[] v);
    ParcelFileDescriptor[] reverseFiles(in ParcelFileDescriptor[] v);
    Map<String, Shape.Corner> repeatMap(in Map<String, Shape.Corner> v);
    ParcelableHolder repeatHolder(in ParcelableHolder v);
    /** For Java alone. */
    List repeatAnyList(in List v);
    Map repeatAnyMap(in Map v);
    CharSequence repeatSequence(CharSequence v);
    FileDescriptor repeatRawFile(in FileDescriptor v);
    /** Fills them with 1, 2, 3... */
    void fill(out int[] ints, out int[COLUMNS] three, out List<String> texts);
}
