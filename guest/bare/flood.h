/* The floods that the architecture decides, flood_<arch>.c. */
#pragma once

/** A page of output, and some input. */
void flood_serial(void);

/** The next 16 ports. */
void flood_ports(void);
