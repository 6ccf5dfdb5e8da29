package libvirtualization;

parcelable GuestOrders {
	/** A file name in lib/ of the package. */
	String payloadName;
	/** The payload may use the console. */
	boolean isDebuggable;
	/** The guest's host name. */
	@nullable String vmName;
}
