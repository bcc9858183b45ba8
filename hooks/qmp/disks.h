/* SPDX-License-Identifier: MIT */
/* The disks of one call of the hook, and what QEMU and their sidecars say about them. */
#pragma once

#include "mark.h"
#include "qmp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* QEMU allows at most 31 bytes for node names and job ids. */
#define DISKS_NAME_LEN 32

enum disks_job {
	DISKS_JOB_NONE,
	DISKS_JOB_BUSY,
	DISKS_JOB_READY,     /* all is copied; writes go to both */
	DISKS_JOB_CONCLUDED, /* it has ended: see job_error */
};

/* What the last look at QEMU and at the sidecar found. */
struct disk_state {
	bool is_open;     /* QEMU has SOURCE open */
	bool is_replaced; /* QEMU has another file open that has, or had, its name */
	/* QEMU uses only a part of it as the disk: a raw node with an offset or a size */
	bool is_part;
	bool has_data_file; /* its data is in another file than its metadata */
	/* QEMU has it open by the number of a descriptor, not by a path */
	bool is_by_number;
	bool is_refused; /* the hook has said why it does not touch this disk */
	/* is_refused, but no write of it is redirected: there is nothing to thaw */
	bool is_free;
	int unseen;      /* -errno if QEMU's open files cannot be seen */
	bool is_written; /* QEMU has it open and somebody may write to it */
	bool is_read_only;
	bool is_encrypted;
	bool is_redirected; /* one of our overlays is on top */
	/* the overlay named name has users, wherever it is in the graph */
	bool is_used;
	bool has_sidecar; /* the sidecar file exists */
	/* the sidecar has the sticky bit: the image is between two states */
	bool is_marked;
	/* QEMU has the sidecar open, but not as an overlay of a freeze: a guest may have
	   been started from it */
	bool is_its_disk;
	bool is_written_yet; /* QEMU has the sidecar open for writing */
	struct mark mark;    /* what the sidecar's attribute says */
	bool is_anothers;    /* another run froze it, or a person if a run calls */
	enum disks_job job;
	char *job_error; /* NULL: none */
	/* a job of an earlier sidecar that is gone, concluded; or NULL */
	char *stale_job;
	uint64_t done, total; /* bytes of the job */
	char *image;          /* names of nodes; NULL if SOURCE is not open */
	char *overlay;
	char *top;     /* topmost node above image and overlay */
	char *blocker; /* for messages: what prevents a merge below it; or NULL */
	/* the node that uses it as the file of a further format; or NULL */
	char *within;
	/* former name of the image, under which QEMU cannot open it for a merge; or
	   NULL */
	char *renamed;
	char *extra; /* for messages: what in the overlay a merge would lose; or NULL */
	/* file that stores the image, and the image's format; NULL if unknown */
	char *backing;
	char *format;
	uint64_t size;         /* bytes of the disk that the image holds */
	uint64_t overlay_size; /* bytes that the redirected disk has now */
};

struct disk {
	char *source; /* absolute, without symbolic links */
	char *sidecar;
	struct stat st;  /* of source */
	const char *run; /* run of lullcp that calls; NULL: a person does */
	bool thaws;
	/* Name of the overlay's node and of its job, from the source's and the sidecar's
	   inodes. Empty without a sidecar. */
	char name[DISKS_NAME_LEN];
	struct disk_state state;
	bool told; /* a refusal was reported */

	bool chosen;        /* this call redirects it */
	int made;           /* descriptor of the sidecar that this call made; or -1 */
	uint64_t made_size; /* bytes of the disk when the sidecar was made */

	/* For the merge. */
	bool started; /* a job was seen running or was started */
	bool begun;   /* this call started the job and has watched it since */
	/* the job was ready: if cancelled then, it would end with success too */
	bool was_ready;
	bool asked;     /* the job was told to complete */
	bool completed; /* after that QEMU reported that the job ended with success */
	/* deadline for QEMU to close the sidecar after that; 0: not waited for */
	uint64_t let_go_by;
	bool merged, failed, over;
};

struct disks {
	struct disk *disk;
	size_t n;
	bool lacks; /* a thaw was given a source that does not exist, and has said so */
};

/* What a freeze does if no QEMU answers at the monitor. */
enum shut_off {
	SHUT_OFF_FAIL,
	SHUT_OFF_LATER, /* lullcp tries again at another time */
	SHUT_OFF_CLONE, /* clone the image as it is */
};

struct settings {
	const char *socket;
	const char *run; /* NULL: called by a person */
	bool thaws;
	const char *sidecar_dir;
	const char *agent;
	uint64_t timeout_ns;
	uint64_t agent_timeout_ns;
	uint64_t commit_timeout_ns;
	enum shut_off shut_off;
};

/*
 * Returns false, having said why, if a source or the directory does not exist. For a thaw
 * a missing source is no error: the other disks are still redirected.
 */
bool disks_init(struct disks *disks, char *const *sources, size_t n,
		const struct settings *settings);
void disks_done(struct disks *disks);

/*
 * Returns true if a thaw does not touch this disk, because another run than the calling
 * one froze it. A person may thaw anything.
 */
bool disks_is_left(const struct disk *disk);

/*
 * Returns true if a disk has a sidecar file that a thaw does not leave alone; with
 * only_marked, one that is marked.
 */
bool disks_have_sidecar(struct disks *disks, bool only_marked);

/*
 * Returns true if one of these sidecars may be of a freeze that was interrupted, so that
 * the guest's file systems may still be frozen: no merge of it has begun, or that cannot
 * be told. Call disks_have_sidecar() first.
 */
bool disks_are_between(const struct disks *disks);

/*
 * Makes what was merged durable. QEMU does not do that if it was told not to flush
 * (cache.no-flush), and the removal of the sidecar might survive a power failure that the
 * merge does not. Returns 0 or -errno.
 */
int disks_sync(const struct disk *disk) _must_check_;

/* Returns, for messages, who froze the disk. To be freed; NULL without memory. */
char *disks_owner(const struct disk *disk);

/* Sets the disk's name in QEMU from its sidecar. Returns false if that does not exist. */
bool disks_name(struct disk *disk);

/* Reads the state of all disks. Returns 0, or -errno having said why. */
int disks_look(struct disks *disks, struct qmp *qmp) _must_check_;
