/*
 * The guest may set its clock, which moves it against the host's and changes
 * nothing else. An alarm would need a timer and an interrupt line, and guests
 * do without: the device tree names no interrupt, so Linux asks for none.
 * Registers are words; any other access reads as zero and is dropped.
 */
#include "devices/rtc_pl031.h"

#include <string.h>
#include <time.h>

#include "base/byteorder.h"

/* Arm DDI 0224, table 3-1 */
enum {
	DATA = 0x00,    /* seconds since 1970; read only */
	MATCH = 0x04,   /* for the alarm */
	LOAD = 0x08,    /* sets the clock */
	CONTROL = 0x0c, /* 1: it runs, and nothing stops it */
	MASK = 0x10,    /* of the alarm's interrupt, like the four below */
	RAW = 0x14,
	MASKED = 0x18,
	CLEAR = 0x1c,
	IDENT = 0xfe0, /* eight registers of a byte each, to the end */
};

/* Peripheral 0x031 of Arm, revision 1; PrimeCell. The bus asks for them. */
static const uint8_t ident[8] = {0x31, 0x10, 0x14, 0x00,
				 0x0d, 0xf0, 0x05, 0xb1};

/* The register has 32 bits, so the clock begins again in 2106. */
static uint32_t host_seconds(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint32_t)now.tv_sec;
}

static uint32_t read_register(const struct rtc_pl031 *rtc, uint64_t offset)
{
	switch (offset) {
	case DATA:
		return host_seconds() + rtc->ahead;
	case MATCH:
		return rtc->match;
	case LOAD:
		return rtc->load;
	case CONTROL:
		return 1;
	default:
		break;
	}
	if (offset >= IDENT && offset % 4 == 0)
		return ident[(offset - IDENT) / 4];
	return 0;
}

static void rtc_read(void *opaque, uint64_t offset, void *data, uint32_t size)
{
	le32 value;

	memset(data, 0, size);
	if (size != sizeof(value))
		return;
	value = le32_make(read_register(opaque, offset));
	memcpy(data, &value, sizeof(value));
}

static void rtc_write(void *opaque, uint64_t offset, const void *data,
		      uint32_t size)
{
	struct rtc_pl031 *rtc = opaque;
	le32 value;

	if (size != sizeof(value))
		return;
	memcpy(&value, data, sizeof(value));
	if (offset == MATCH)
		rtc->match = le32_get(value);
	if (offset != LOAD)
		return;
	rtc->load = le32_get(value);
	rtc->ahead = rtc->load - host_seconds();
}

static const struct bus_ops rtc_ops = {.read = rtc_read, .write = rtc_write};

void rtc_pl031_init(struct rtc_pl031 *rtc)
{
	*rtc = (struct rtc_pl031){
		.range = {.size = RTC_PL031_SIZE,
			  .ops = &rtc_ops,
			  .opaque = rtc},
	};
}
