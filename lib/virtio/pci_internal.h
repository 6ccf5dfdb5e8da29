/* What the files of the virtio-pci transport share. */
#pragma once

#include "virtio/pci.h"

#define VP_BAR               0
#define VP_BAR_MSIX          2
#define VP_BAR_SIZE          0x4000ULL
#define VP_COMMON            0x0000U
#define VP_COMMON_SIZE       0x38U /* up to and with queue_device */
#define VP_ISR               0x1000U
#define VP_ISR_SIZE          1U
#define VP_DEVICE            0x2000U
#define VP_NOTIFY            0x3000U
#define VP_NOTIFY_MULTIPLIER 4U

#define VP_NO_VECTOR 0xffff

/* device_status bits (virtio 1.2, 2.1) */
#define VP_ACKNOWLEDGE 1U
#define VP_DRIVER      2U
#define VP_DRIVER_OK   4U
#define VP_FEATURES_OK 8U
#define VP_NEEDS_RESET 64U
#define VP_FAILED      128U

/* A queue as the transport sees it. */
struct vp_queue {
	struct loop_source source;
	struct virtio_pci *vp;
	int kick_fd;       /* owned */
	uint64_t kick_gpa; /* of the ioeventfd; 0: none */
	uint16_t vector;
	bool enabled;
};

/* Guarded by the machine's lock. */
struct virtio_pci {
	struct pci_dev pci;
	struct virtio_dev *dev; /* owned */
	struct loop *loop;      /* borrowed */
	struct hv *hv;          /* borrowed */
	uint32_t cfg_cap;       /* of VIRTIO_PCI_CAP_PCI_CFG */
	uint64_t bar_gpa;       /* of VP_BAR; 0: not mapped */
	uint8_t isr;
	/* The common configuration structure. */
	uint32_t device_feature_select;
	uint32_t driver_feature_select;
	uint64_t driver_features;
	uint16_t config_vector;
	uint16_t queue_select;
	uint8_t status;
	uint8_t generation;
	struct vp_queue queues[VIRTIO_MAX_QUEUES];
};

/** Any read of the common structure: bytes beyond it are 0. */
void vp_common_read(struct virtio_pci *vp, uint32_t offset, void *data,
		    uint32_t size);

/** A write; one that is not the natural access of a field is ignored. */
void vp_common_write(struct virtio_pci *vp, uint32_t offset, const void *data,
		     uint32_t size);

/** Power-on state of everything that the common structure shows. */
void vp_common_reset(struct virtio_pci *vp);

/**
 * Put the doorbells of the queues in use where the BAR is, as ioeventfds. An
 * operating system moves its BARs about before it loads a driver, and each
 * change costs the kernel a grace period; so others have none.
 */
void vp_place_doorbells(struct virtio_pci *vp);

/** Make the loop look at queue @q. Any thread. */
void vp_kick(struct virtio_pci *vp, uint32_t q);
