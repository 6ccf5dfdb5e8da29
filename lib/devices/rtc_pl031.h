/*
 * The real-time clock of arm64 machines: Arm's PL031 (Arm DDI 0224), as stock
 * kernels find it. It shows the host's time of day and has no alarm.
 *
 * Thread rule: as any device on a bus, with the machine's lock held.
 */
#pragma once

#include "bus/bus.h"

#define RTC_PL031_SIZE 0x1000

struct rtc_pl031 {
	struct bus_range range; /* the owner sets its base, and adds it */
	uint32_t ahead;         /* seconds that the guest's clock is ahead */
	uint32_t match;         /* kept, and otherwise of no meaning */
	uint32_t load;          /* what the guest last set the clock to */
};

/** A clock that shows the host's time. Owns nothing. */
void rtc_pl031_init(struct rtc_pl031 *rtc);
