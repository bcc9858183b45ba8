/* SPDX-License-Identifier: MIT */
/* The disks of a call and what QEMU and their sidecars say about them. */
#pragma once

#include "mark.h"
#include "qmp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Node names and job ids in QEMU have at most 31 bytes. */
#define DISKS_NAME_LEN 32

enum disks_job {
	DISKS_JOB_NONE,
	DISKS_JOB_BUSY,
	DISKS_JOB_READY,     /* all is copied, writes go to both */
	DISKS_JOB_CONCLUDED, /* over: job_error tells how */
};

/* What was found at the last look. */
struct disk_state {
	bool is_open;     /* QEMU has SOURCE open */
	bool is_replaced; /* QEMU has another file open that has, or had, its name */
	/* QEMU has a part of it as the disk: a raw node with an offset or a size */
	bool is_part;
	bool has_data_file; /* its data lies in another file than what is about it */
	bool is_by_number;  /* QEMU has it by a descriptor, not by a path */
	bool is_refused;    /* it was said why nothing may be done with it */
	bool is_free;       /* that, and nothing of it is redirected: no thaw has to */
	int unseen;         /* -errno if what QEMU has open cannot be seen */
	bool is_written;    /* and somebody may write to it */
	bool is_read_only;
	bool is_encrypted;
	bool is_redirected; /* an overlay of ours is on top */
	bool is_used;       /* the overlay of that name is in use, wherever it is */
	bool has_sidecar;   /* the file is there */
	bool is_marked;     /* and marked: between two states */
	/* and QEMU has it open, but not as an overlay of a freeze: a guest may have been
	   started from it */
	bool is_its_disk;
	bool is_written_yet; /* and has it open for writing */
	struct mark mark;    /* what it says of itself */
	bool is_anothers;    /* the freeze of another run, or by hand if a run asks */
	enum disks_job job;
	char *job_error;      /* NULL: none */
	char *stale_job;      /* concluded, of an earlier sidecar that is gone; or NULL */
	uint64_t done, total; /* of the job, bytes */
	char *image;          /* node names; NULL if SOURCE is not open */
	char *overlay;
	char *top;     /* above both */
	char *blocker; /* for people: what keeps a merge below it from working; or NULL */
	/* the node that takes it for the file of a format of its own; or NULL */
	char *within;
	char *renamed; /* from; QEMU cannot open the image to merge into it; or NULL */
	char *extra; /* for people: what is in the overlay that a merge drops; or NULL */
	char *backing; /* what the image is stored in, and how; NULL if unknown */
	char *format;
	uint64_t size;         /* of the disk that the image holds */
	uint64_t overlay_size; /* of the disk by now, where it is redirected */
};

struct disk {
	char *source; /* absolute, without links */
	char *sidecar;
	struct stat st;  /* of source */
	const char *run; /* that asks; NULL: by hand */
	bool thaws;
	/* of the overlay's node and of the job: says which source and, by its inode,
	   which sidecar; empty without one */
	char name[DISKS_NAME_LEN];
	struct disk_state state;
	bool told; /* of a refusal */

	bool chosen;        /* to be redirected by this call */
	int made;           /* the sidecar that this call made, open; or -1 */
	uint64_t made_size; /* of the disk for which it was made */

	/* For merging. */
	bool started;   /* a job was seen at work or begun */
	bool begun;     /* by this call, which has watched it since */
	bool was_ready; /* and could have been cancelled then, which counts as success */
	bool asked;     /* told to complete */
	bool completed; /* QEMU has said after that that it is over, and well */
	uint64_t let_go_by; /* QEMU, of the sidecar, after that; 0: not waited for */
	bool merged, failed, over;
};

struct disks {
	struct disk *disk;
	size_t n;
	bool lacks; /* a source of a thaw that is not there, and that was said */
};

/* What freeze does where no QEMU is at the monitor. */
enum shut_off {
	SHUT_OFF_FAIL,
	SHUT_OFF_LATER, /* lullcp tries another time */
	SHUT_OFF_CLONE, /* the image is cloned as it is */
};

struct settings {
	const char *socket;
	const char *run; /* NULL: by hand */
	bool thaws;
	const char *sidecar_dir;
	const char *agent;
	uint64_t timeout_ns;
	uint64_t agent_timeout_ns;
	uint64_t commit_timeout_ns;
	enum shut_off shut_off;
};

/*
 * False, and it was said why, if a source or the directory is not there. A thaw goes on
 * without a source that is not there: the others are redirected all the same.
 */
bool disks_init(struct disks *disks, char *const *sources, size_t n,
		const struct settings *settings);
void disks_done(struct disks *disks);

/*
 * True if a thaw leaves it: it is the freeze of another than the run that asks. A person
 * who asks by hand may thaw anything.
 */
bool disks_is_left(const struct disk *disk);

/*
 * True if any disk has a sidecar file that a thaw does not leave; with only_marked, one
 * that is marked.
 */
bool disks_have_sidecar(struct disks *disks, bool only_marked);

/*
 * True if one of these may be of a freeze that was cut off, after which the guest's file
 * systems are frozen yet: no merge of it has begun, or that cannot be told. Asks for
 * disks_have_sidecar() before.
 */
bool disks_are_between(const struct disks *disks);

/*
 * What was merged is on disk after that: QEMU does not see to it where it was told not to
 * flush (cache.no-flush), and the sidecar's end may outlive a power failure that the
 * merge does not. 0 or -errno.
 */
int disks_sync(const struct disk *disk) _must_check_;

/* Says, for people, whose freeze its sidecar is of; NULL without memory. To be freed. */
char *disks_owner(const struct disk *disk);

/* Gives the disk's sidecar, which exists, its name in QEMU. False if it is not there. */
bool disks_name(struct disk *disk);

/* Looks. 0 or -errno, and it was said why. */
int disks_look(struct disks *disks, struct qmp *qmp) _must_check_;
