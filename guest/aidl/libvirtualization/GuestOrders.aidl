package libvirtualization;

parcelable GuestOrders {
	/** A file name in lib/ of the package; null: payloadConfigPath. */
	@nullable String payloadName;
	/** The payload may use the console. */
	boolean isDebuggable;
	/** The guest's host name. */
	@nullable String vmName;
	/** The file of the package that says what to run. */
	@nullable String payloadConfigPath;
}
