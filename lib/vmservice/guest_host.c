#include "vmservice/guest_host.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/guest_protocol.h"
#include "base/text.h"
#include "vmservice/aidl_end.h"

#define DESCRIPTOR "libvirtualization.IGuestHost"

enum method {
	GET_ORDERS = FIRST_CALL_TRANSACTION,
	SET_STOP_REASON,
};

/* ---- the server -------------------------------------------------------------
 */

/* "" as null. */
static binder_status_t write_maybe(AParcel *out, const char *text)
{
	return text[0] == '\0' ? AParcel_writeInt32(out, -1)
			       : parcel_write_utf8(out, text, strlen(text));
}

/* The fields of the parcelable GuestOrders. */
static binder_status_t write_fields(AParcel *out,
				    const struct guest_orders *orders)
{
	binder_status_t rc = write_maybe(out, orders->payload_name);

	if (rc == STATUS_OK)
		rc = AParcel_writeBool(out, orders->is_debuggable);
	if (rc == STATUS_OK)
		rc = write_maybe(out, orders->vm_name);
	return rc == STATUS_OK ? write_maybe(out, orders->payload_config_path)
			       : rc;
}

/* A parcelable begins with a word that says that it is there, and with its
 * size, which counts from itself. */
static binder_status_t write_orders(AParcel *out,
				    const struct guest_orders *orders)
{
	int32_t start, end;
	binder_status_t rc = AParcel_writeInt32(out, 1);

	start = AParcel_getDataPosition(out);
	if (rc == STATUS_OK)
		rc = AParcel_writeInt32(out, 0);
	if (rc == STATUS_OK)
		rc = write_fields(out, orders);
	end = AParcel_getDataPosition(out);
	if (rc == STATUS_OK)
		rc = AParcel_setDataPosition(out, start);
	if (rc == STATUS_OK)
		rc = AParcel_writeInt32(out, end - start);
	return rc == STATUS_OK ? AParcel_setDataPosition(out, end) : rc;
}

static binder_status_t give_orders(const struct guest_host *host,
				   const AParcel *in, AParcel *out)
{
	struct guest_orders orders = {.is_debuggable = false};
	binder_exception_t exception;
	int32_t protocol;
	binder_status_t rc;

	/* a guest from before it was counted says nothing here */
	if (AParcel_readInt32(in, &protocol) != STATUS_OK)
		protocol = 0;
	exception = host->ops->get_orders(host->userdata, protocol, &orders);
	rc = aidl_reply(out, exception);
	if (rc != STATUS_OK || exception != EX_NONE)
		return rc;
	return write_orders(out, &orders);
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	const struct guest_host *host = AIBinder_getUserData(binder);

	switch (code) {
	case GET_ORDERS:
		return give_orders(host, in, out);
	case SET_STOP_REASON:
		return aidl_serve_number_text(
			in, out, host->ops->set_stop_reason, host->userdata);
	default:
		return STATUS_UNKNOWN_TRANSACTION;
	}
}

static const AIBinder_Class server_class = AIDL_CLASS(DESCRIPTOR, on_transact);

AIBinder *guest_host_new(const struct guest_host *host)
{
	return aidl_new(&server_class, host);
}

/* ---- the client -------------------------------------------------------------
 */

/* Without control characters. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/* It is joined to a directory: no way out of it. */
bool guest_host_is_file_name(const char *text)
{
	return text[0] != '\0' && text[0] != '.' && !strchr(text, '/') &&
	       is_plain(text);
}

static binder_status_t read_orders(const AParcel *out,
				   struct guest_orders *ret_orders)
{
	int32_t there, size;
	binder_status_t rc = AParcel_readInt32(out, &there);

	if (rc == STATUS_OK)
		rc = AParcel_readInt32(out, &size);
	if (rc == STATUS_OK && there == 0)
		rc = STATUS_UNEXPECTED_NULL;
	if (rc == STATUS_OK)
		rc = aidl_read_text(out, true, ret_orders->payload_name,
				    sizeof(ret_orders->payload_name));
	if (rc == STATUS_OK)
		rc = AParcel_readBool(out, &ret_orders->is_debuggable);
	if (rc == STATUS_OK)
		rc = aidl_read_text(out, true, ret_orders->vm_name,
				    sizeof(ret_orders->vm_name));
	if (rc == STATUS_OK)
		rc = aidl_read_text(out, true, ret_orders->payload_config_path,
				    sizeof(ret_orders->payload_config_path));
	return rc;
}

int guest_host_get_orders(AIBinder *host, struct guest_orders *ret_orders)
{
	CLEANUP(aidl_delete_parcel) AParcel *out = NULL;
	const struct aidl_call call = {.target = host,
				       .descriptor = DESCRIPTOR,
				       .name = "getOrders",
				       .code = GET_ORDERS};
	struct guest_orders orders;
	AParcel *in = NULL;
	int rc = aidl_begin(&call, &in);

	if (rc == 0)
		rc = aidl_finish(&call, in,
				 AParcel_writeInt32(in, GUEST_PROTOCOL), &out);
	if (rc < 0)
		return rc;
	if (read_orders(out, &orders) != STATUS_OK)
		return fail(AVF_ERR_PROTOCOL, "getOrders: no orders");
	if (orders.payload_config_path[0]
		    ? orders.payload_name[0] ||
			      !text_is_inner_path(orders.payload_config_path)
		    : !guest_host_is_file_name(orders.payload_name))
		return fail(AVF_ERR_PROTOCOL,
			    "the payload's name is not a file name");
	if (!is_plain(orders.vm_name))
		return fail(AVF_ERR_PROTOCOL, "the VM's name is no host name");
	*ret_orders = orders;
	return 0;
}

int guest_host_set_stop_reason(AIBinder *host, int32_t reason, const char *text)
{
	const struct aidl_call call = {.target = host,
				       .descriptor = DESCRIPTOR,
				       .name = "setStopReason",
				       .code = SET_STOP_REASON};

	return aidl_call_number_text(&call, reason, text);
}
