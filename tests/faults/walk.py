# SPDX-License-Identifier: MIT
"""Lets each system call of a run go wrong in turn, and looks at what is left.

    walk.py XFS BTRFS OTHER WORK ROUNDS SEED

XFS and BTRFS are empty directories on such file systems, OTHER on one that shares nothing
with them. ROUNDS is how many faults each scenario gets, drawn at random, or "all".
LULL_TEST_ONLY names scenarios, LULL_TEST_KINDS faults (errno, kill), both separated by
blanks. Prints one line a scenario and a summary; ends with 1 if anything did not survive.
"""
import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

XFS, BTRFS, OTHER, WORK, ROUNDS, SEED = sys.argv[1:]
LULLCP = os.environ["LULLCP"]
TOOLS = os.environ["TOOLS"]
HOOK = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "../fs/hook-log.sh")
LOG = os.path.join(WORK, "hook.log")
REPORT = os.path.join(WORK, "report")
ERR = os.path.join(WORK, "walk.err")
TIMEOUT = 120
os.environ["HOOK_LOG"] = LOG
os.environ["LC_ALL"] = "C.UTF-8"
os.environ.pop("LULL_TEST_ROUNDS", None)
chance = random.Random(int(SEED))

# What each call can plausibly say. One that is not here cannot fail, or not so that the
# program could go on: what the loader and the C library do for themselves.
ERRORS = {
    "openat": "EACCES EMFILE ENOSPC EIO EROFS EINTR ENOENT",
    "openat2": "EACCES EMFILE ENOSYS",
    "read": "EIO EINTR short",
    "pread64": "EIO EINTR short",
    "write": "EIO ENOSPC EINTR EDQUOT short",
    "pwrite64": "EIO ENOSPC EINTR short",
    "copy_file_range": "EIO ENOSPC EXDEV EINTR EOPNOTSUPP short",
    "close": "EIO EINTR",
    "fstat": "EIO", "stat": "EIO EACCES", "newfstatat": "EIO EACCES ENOENT",
    "statx": "EIO EACCES ENOENT", "statfs": "EIO", "fstatfs": "EIO ENOSYS",
    "lseek": "EIO EINVAL",
    "ioctl": "EIO ENOSPC EDQUOT EOPNOTSUPP EINVAL EINTR EAGAIN ENOMEM EPERM EUCLEAN",
    "flock": "EINTR EWOULDBLOCK ENOLCK",
    "ftruncate": "EIO ENOSPC EFBIG EDQUOT", "fallocate": "EIO ENOSPC EOPNOTSUPP",
    "fchmod": "EPERM EIO EROFS", "fchown": "EPERM EIO", "fchmodat": "EPERM EIO",
    "fchownat": "EPERM EIO", "utimensat": "EPERM EIO",
    "unlinkat": "EACCES EIO EBUSY", "renameat": "EIO ENOSPC EACCES EDQUOT",
    "renameat2": "EIO ENOSPC EACCES EINVAL", "linkat": "EIO ENOSPC EMLINK",
    "mkdirat": "EIO ENOSPC EACCES", "symlinkat": "EIO ENOSPC",
    "fsync": "EIO ENOSPC EINTR", "fdatasync": "EIO ENOSPC EDQUOT",
    "sync_file_range": "EIO ENOSPC", "syncfs": "EIO",
    "socketpair": "EMFILE ENFILE", "clone": "EAGAIN ENOMEM", "clone3": "EAGAIN ENOMEM",
    "vfork": "EAGAIN", "pipe2": "EMFILE",
    "poll": "EINTR ENOMEM", "ppoll": "EINTR ENOMEM", "recvfrom": "EINTR",
    "sendto": "EINTR ENOBUFS", "wait4": "EINTR", "waitid": "EINTR",
    "pidfd_open": "ENOSYS EMFILE", "setpgid": "EPERM", "clock_nanosleep": "EINTR",
    "getdents64": "EIO", "readlink": "EIO", "readlinkat": "EIO", "access": "EACCES",
    "faccessat": "EACCES", "faccessat2": "EACCES ENOSYS", "getcwd": "ENOENT",
    "getxattr": "EIO ENODATA", "fgetxattr": "EIO EOPNOTSUPP", "flistxattr": "EIO",
    "lgetxattr": "EIO", "llistxattr": "EIO", "listxattr": "EIO",
    "fsetxattr": "EIO ENOSPC", "setxattr": "EIO ENOSPC", "lsetxattr": "EIO",
    "mmap": "ENOMEM", "mprotect": "ENOMEM", "prctl": "EINVAL",
    "capget": "EPERM", "dup2": "EMFILE", "fcntl": "EMFILE EINVAL", "chdir": "EACCES",
    "prlimit64": "EPERM", "kill": "ESRCH", "fadvise64": "EINVAL", "getrandom": "ENOSYS",
    "setsid": "EPERM", "rt_sigaction": "EINVAL", "rt_sigprocmask": "EINVAL",
    "socket": "EMFILE", "connect": "ECONNREFUSED", "uname": "EFAULT", "sysinfo": "EFAULT",
}
# No brk: the kernel answers it with the old end, never with an errno, and the C library takes
# that for an address.
KINDS = os.environ.get("LULL_TEST_KINDS", "errno kill").split()
DOCUMENTED = {0, 1, 3, 5, 6, 8, 11}


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def put(path, data):
    with open(path, "wb") as f:
        f.write(data)


def fragment(path, blocks):
    subprocess.run([TOOLS + "/fragment", path, str(blocks)], check=True,
                   stdout=subprocess.DEVNULL)
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def clone(source, dest):
    subprocess.run(["cp", "--reflink=always", source, dest], check=True)


class Writer:
    """Numbers, direct, all over the file and round again: of a copy of one moment the blocks
    hold numbers without a gap."""

    CODE = """
import mmap, os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_DIRECT)
first, last = int(sys.argv[2]), int(sys.argv[3])
n, block = os.fstat(fd).st_size // 4096, mmap.mmap(-1, 4096)
for k in range(first, last):
    block[:8] = k.to_bytes(8, "little")
    os.pwrite(fd, block, k * 7919 % n * 4096)
    if last > 1 << 40:
        time.sleep(0.0003)
"""

    def __init__(self, path):
        words = [sys.executable, "-c", self.CODE, path]
        size, middle = os.stat(path).st_size // 4096, 1 << 32
        subprocess.run(words + [str(middle - size), str(middle)], check=True)
        before = os.stat(path).st_mtime_ns
        self.process = subprocess.Popen(words + [str(middle), str(1 << 41)],
                                        stdout=subprocess.DEVNULL)
        while os.stat(path).st_mtime_ns == before and self.process.poll() is None:
            time.sleep(0.001)

    def end(self):
        self.process.kill()
        self.process.wait()

    @staticmethod
    def is_of_one_moment(path):
        with open(path, "rb") as f:
            data = f.read()
        numbers = sorted(int.from_bytes(data[at:at + 8], "little")
                         for at in range(0, len(data), 4096))
        return len(numbers) > 0 and numbers[-1] - numbers[0] == len(numbers) - 1 and \
            len(set(numbers)) == len(numbers)


class Scenario:
    """One command, the state it begins in and what may be left of it."""

    name = ""
    blocks = 300
    options = ["--checkpoint-interval=0", "--duty-cycle=100"]
    tail = ["--resume"]     # what is added to the command that has to put all right
    hook = False
    dest_may_go = False     # a refreshed file bears another name meanwhile
    dest_may_be_torn = False
    from_the_start = False  # the loader and start-up as well
    old_data = b"the old file\n" * 5000
    writer = False
    shows = {}              # what the summary of a run without a fault says
    fault = ("", "")        # the call and what it said

    def __init__(self, place):
        self.dir = os.path.join(place, self.name)
        os.mkdir(self.dir)
        self.src = os.path.join(self.dir, "src")
        self.dst = os.path.join(self.dir, "dst")
        self.make()
        self.running = Writer(self.src) if self.writer else None
        self.new = None if self.writer else sha(self.src)
        self.old = None

    def make(self):
        fragment(self.src, self.blocks)

    def sweep(self):
        for name in os.listdir(self.dir):
            path = os.path.join(self.dir, name)
            if name.endswith(".lullcp-snap"):
                if os.listdir(path):
                    subprocess.run(["btrfs", "-q", "subvolume", "delete", path + "/snapshot"],
                                   check=True)
                os.rmdir(path)
            elif name not in self.kept():
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) \
                    else os.unlink(path)

    def kept(self):
        return {"src"}

    def reset(self):
        """Before each fault."""
        self.sweep()
        put(LOG, b"")
        self.arrange()
        self.old = self.state()

    def arrange(self):
        put(self.dst, self.old_data)

    def command(self):
        hook = ["--hook=" + HOOK] if self.hook else []
        return [LULLCP] + self.options + hook + self.operands()

    def operands(self):
        return [self.src, self.dst]

    def remedy(self):
        return self.command()[:1] + self.tail + self.command()[1:]

    def state(self):
        return sha(self.dst) if os.path.exists(self.dst) else None

    def is_new(self):
        if self.writer:
            return os.path.exists(self.dst) and Writer.is_of_one_moment(self.dst)
        return self.state() == self.new

    def leftovers(self):
        return [name for _, dirs, files in os.walk(self.dir) for name in dirs + files
                if "lullcp" in name]

    def summary(self):
        said = subprocess.run(self.command() + ["--json"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=TIMEOUT, check=False).stdout
        for line in said.splitlines():
            word = json.loads(line)
            if word["type"] == "summary":
                word["resumed"] = word.get("resumed_at", 0) > 0
                return word
        return {}

    def end(self):
        if self.running:
            self.running.end()

    # ---- what must hold ----

    def calls(self):
        with open(LOG) as f:
            words = [line.split(" ")[0].strip() for line in f]
        return words.count("freeze"), words.count("thaw"), words

    def after(self, status, killed, process):
        """What is wrong after the fault, as a list."""
        wrong = []
        if not killed and status not in DOCUMENTED:
            wrong.append(f"status {status}")
        if status == 0 and not self.is_new():
            wrong.append("status 0, and DEST is not the new file")
        if status != 0 and not self.dest_may_be_torn:
            state = self.state()
            if not (state == self.old or self.is_new() or
                    (state is None and self.dest_may_go)):
                wrong.append("DEST is neither the old file nor the new one")
        if status != 0 and not killed:
            text = open(ERR, errors="replace").read()
            if not any(word in text for word in
                       ("src", "dst", "base", "hook", "loading shared libraries",
                        "memory", "writers", "write error")):
                wrong.append(f"status {status}, and nothing is named: {text!r}")
        freezes, thaws, words = self.calls()
        # A freeze hook that was ended before it wrote its line is followed by a thaw too.
        # What a keeper has thawed and cannot report, because it dies or the message does not
        # arrive, is thawed once more.
        most = max(freezes, 1) + (1 if process > 0 else 0)
        if status != 6 and not freezes <= thaws <= most:
            wrong.append(f"{freezes} freezes, {thaws} thaws")
        return wrong

    def afterwards(self, status):
        wrong = []
        text = open(ERR, errors="replace").read()
        if status != 0:
            wrong.append(f"{' '.join(self.tail)}: status {status}: {text!r}")
        if not self.is_new():
            wrong.append("afterwards DEST is not the new file")
        if self.leftovers():
            wrong.append(f"left behind: {self.leftovers()}")
        _, _, words = self.calls()
        if "freeze" in words and "thaw" not in words[words.index("freeze"):]:
            wrong.append("never thawed")
        if words and words[-1] not in ("thawed", "thaw"):
            wrong.append("left frozen")
        if self.new and sha(self.src) != self.new:
            wrong.append("SOURCE has changed")
        return wrong


class Quiet(Scenario):
    name = "quiet"
    shows = {"method": ["quiet"]}


# Btrfs: more extents fit one call, and each sync is dear.
GENTLE = ["--checkpoint-interval=30ms", "--duty-cycle=100"]


class QuietBtrfs(Scenario):
    name = "quiet-btrfs"
    shows = {"method": ["quiet"]}
    blocks = 1500
    options = GENTLE


class Fresh(Scenario):
    """DEST does not exist."""
    name = "fresh"
    shows = {"method": ["quiet"]}

    def arrange(self):
        pass


class Hook(Scenario):
    name = "hook"
    shows = {"method": ["frozen"]}
    hook = True


class HookLive(Scenario):
    name = "hook-live-btrfs"
    shows = {"method": ["frozen"]}
    hook = True
    blocks = 1500
    options = GENTLE + ["--live", "--max-freeze=20s"]


class Resume(Scenario):
    """What a run left that was killed in the middle of it."""
    name = "resume"
    shows = {"method": ["quiet"], "resumed": [True]}

    def arrange(self):
        super().arrange()
        inject(self.command(), (0, "fsync", self.middle, "kill"))

    def make(self):
        super().make()
        self.old = None
        put(self.dst, self.old_data)
        self.middle = middle_of(self.command())
        self.options = ["--resume"] + self.options
        self.tail = []


class ResumeHook(Resume):
    name = "resume-hook"
    shows = {"method": ["frozen"], "resumed": [True]}
    hook = True

    def arrange(self):
        super().arrange()
        put(LOG, b"")


class Atomic(Scenario):
    name = "atomic"
    shows = {"method": ["atomic"]}
    writer = True
    options = GENTLE + ["--latency-budget=500us"]


class Snapshot(Scenario):
    name = "snapshot-btrfs"
    shows = {"method": ["snapshot"]}
    blocks = 1500
    writer = True
    options = GENTLE + ["--latency-budget=1ms"]


class Refresh(Scenario):
    name = "refresh"
    dest_may_go = True
    options = ["--refresh"] + Scenario.options

    def make(self):
        super().make()
        clone(self.src, os.path.join(self.dir, "before"))
        with open(self.src, "r+b") as f:
            for block in range(0, self.blocks, self.blocks // 4):
                f.seek(block * 4096)
                f.write(os.urandom(40 * 4096))
            os.fsync(f.fileno())

    def kept(self):
        return {"src", "before"}

    def arrange(self):
        clone(os.path.join(self.dir, "before"), self.dst)


class RefreshBtrfs(Refresh):
    name = "refresh-btrfs"
    blocks = 1500
    options = ["--refresh"] + GENTLE


class RefreshBase(Refresh):
    name = "refresh-base"
    dest_may_go = False

    def arrange(self):
        put(self.dst, self.old_data)
        clone(os.path.join(self.dir, "before"), os.path.join(self.dir, "base"))

    def command(self):
        return [LULLCP] + self.options + ["--base=" + self.dir + "/base"] + self.operands()

    def afterwards(self, status):
        wrong = super().afterwards(status)
        if os.path.exists(self.dir + "/base"):
            wrong.append("the older clone is still there")
        return wrong

    def remedy(self):
        # A clone that is over has used it up.
        if not os.path.exists(self.dir + "/base") and self.is_new():
            return [LULLCP, "--resume", "--refresh"] + self.operands()
        return super().remedy()


class Small(Scenario):
    name = "small"
    shows = {"method": ["single"]}
    blocks = 3
    from_the_start = True


class SmallKeep(Scenario):
    """All attributes, a backup."""
    name = "small-attributes"
    blocks = 3
    options = ["-a", "--backup=simple"]

    def make(self):
        super().make()
        os.setxattr(self.src, "user.a", b"b")
        subprocess.run(["setfacl", "-m", "u:12:rw", self.src], check=True)

    def state(self):
        # As cp: for a moment the older file has only the name of the backup.
        backup = self.dst + "~"
        if not os.path.exists(self.dst) and os.path.exists(backup):
            return sha(backup)
        return super().state()


class InPlace(Scenario):
    name = "inplace"
    dest_may_be_torn = True
    options = ["--inplace"] + Scenario.options


class Tree(Scenario):
    name = "tree"
    options = ["-a", "-T", "--checkpoint-interval=0"]

    def make(self):
        os.mkdir(self.src)
        os.mkdir(self.src + "/d")
        fragment(self.src + "/big", 200)
        for i in range(3):
            put(f"{self.src}/d/{i}", b"%d\n" % i * 5000)
        os.symlink("d/1", self.src + "/link")
        os.link(self.src + "/d/1", self.src + "/d/hard")
        self.new = self.digest(self.src)

    def __init__(self, place):
        self.dir = os.path.join(place, self.name)
        os.mkdir(self.dir)
        self.src = os.path.join(self.dir, "src")
        self.dst = os.path.join(self.dir, "dst")
        self.running = None
        self.make()

    @staticmethod
    def digest(top):
        found = {}
        for at, dirs, files in os.walk(top):
            for name in dirs + files:
                path = os.path.join(at, name)
                rest = os.path.relpath(path, top)
                if "lullcp" in name:
                    continue
                found[rest] = os.readlink(path) if os.path.islink(path) else \
                    "" if os.path.isdir(path) else sha(path)
        return found

    def arrange(self):
        pass

    def state(self):
        return self.digest(self.dst)

    def is_new(self):
        return self.state() == self.new

    def after(self, status, killed, process):
        self.dest_may_be_torn = True  # the whole tree is; each file is not
        wrong = super().after(status, killed, process)
        for name, what in self.state().items():
            # A file that is made under its own name is whole when lullcp has ended well.
            if name == "big" and what != self.new[name]:
                wrong.append(f"{name} is torn")
            elif not killed and what != self.new.get(name):
                wrong.append(f"{name} is not what it should be")
        return wrong

    def afterwards(self, status):
        wrong = []
        if status != 0:
            wrong.append(f"--resume: status {status}: {open(ERR).read()!r}")
        if not self.is_new():
            wrong.append(f"afterwards DEST is not the new tree: {self.state()}")
        if self.leftovers():
            wrong.append(f"left behind: {self.leftovers()}")
        return wrong


class Copy(Scenario):
    """Bytes, to a file system that shares nothing with that of SOURCE."""
    name = "copy"
    shows = {"bytes_copied": [20 * 4096]}
    blocks = 20
    options = ["--reflink=auto", "--hook=true"] + Scenario.options

    def make(self):
        super().make()
        os.mkdir(os.path.join(OTHER, self.name))
        self.dst = os.path.join(OTHER, self.name, "dst")

    def sweep(self):
        for name in os.listdir(os.path.dirname(self.dst)):
            os.unlink(os.path.join(os.path.dirname(self.dst), name))

    def leftovers(self):
        return [n for n in os.listdir(os.path.dirname(self.dst)) if "lullcp" in n]


class CopySmall(Copy):
    name = "copy-small"
    shows = {"method": ["copy"]}
    options = ["--reflink=auto"]


class Auto(Scenario):
    """Cloning is possible: an error of the disk is none of a file system that cannot."""
    name = "auto"
    options = ["--reflink=auto"] + Scenario.options


class Recover(Scenario):
    """What is left when the keeper was killed as well: still frozen."""
    name = "recover"
    hook = True
    tail = ["--restart"]

    def make(self):
        super().make()
        put(self.dst, self.old_data)
        put(LOG, b"")
        self.middle = middle_of(super().command())

    def arrange(self):
        super().arrange()
        inject(super().command(), (0, "fsync", self.middle, "kill-all"))

    def command(self):
        return [LULLCP, "--recover", self.dst]

    def remedy(self):
        return [LULLCP, "--restart", "--hook=" + HOOK] + self.operands()

    def after(self, status, killed, process):
        wrong = []
        _, thaws, _ = self.calls()
        # A lock that is said to be held is another lullcp at work.
        held = self.fault[0] == "flock" and self.fault[1] == "EWOULDBLOCK"
        if not killed and status not in ((0, 1, 6, 11) if held else (0, 1, 6)):
            wrong.append(f"status {status}")
        if status == 0 and thaws != 1:
            wrong.append(f"status 0 and {thaws} thaws")
        if self.state() != self.old:
            wrong.append("DEST is not the old file")
        return wrong


class Verify(Scenario):
    """Never takes different files for identical, nor identical ones for different."""
    name = "verify"
    tail = []

    def arrange(self):
        clone(self.src, self.dst)

    def command(self):
        return [LULLCP, "--verify"] + self.operands()

    def after(self, status, killed, process):
        return [] if killed or status in (0, 1) else [f"status {status}"]


class VerifyDifferent(Verify):
    name = "verify-different"

    def arrange(self):
        super().arrange()
        with open(self.dst, "r+b") as f:
            f.seek(self.blocks * 4096 - 7)
            f.write(b"x")

    def after(self, status, killed, process):
        return [] if killed or status in (4, 1) else [f"status {status}"]

    def afterwards(self, status):
        return [] if status == 4 else [f"status {status}"]


SCENARIOS = [(Quiet, XFS), (QuietBtrfs, BTRFS), (Fresh, XFS), (Hook, XFS), (HookLive, BTRFS),
             (Resume, XFS), (ResumeHook, XFS), (Atomic, XFS), (Snapshot, BTRFS),
             (Refresh, XFS), (RefreshBtrfs, BTRFS), (RefreshBase, XFS), (Small, XFS),
             (SmallKeep, BTRFS), (InPlace, XFS), (Tree, XFS), (Copy, XFS), (CopySmall, XFS),
             (Auto, XFS), (Recover, XFS), (Verify, XFS), (VerifyDifferent, BTRFS)]


def inject(command, fault):
    """Runs it with a fault, or none: (counts by process and call, [status, killed, hit])."""
    words = [str(word) for word in fault] if fault else []
    with open(ERR, "wb") as err:
        process = subprocess.Popen([TOOLS + "/inject", REPORT] + words + command,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=err)
        try:
            if process.wait(timeout=TIMEOUT) != 0:
                sys.exit(f"inject has failed: {open(ERR).read()}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return {}, [None, True, None]
    counts, end = {}, [None, False, None]
    for line in open(REPORT):
        word = line.split()
        if word[0] == "hit":
            end[2] = word[1:]
        elif word[0] == "exit":
            end[0] = int(word[1])
        elif word[0] == "signal":
            end[0], end[1] = 128 + int(word[1]), int(word[1]) == signal.SIGKILL
        else:
            counts[(int(word[0]), word[1])] = int(word[2])
    return counts, end


def middle_of(command):
    """The sync of a checkpoint that falls into the middle of the run, between two calls."""
    counts, _ = inject(command, None)
    return counts[(0, "fsync")] // 2 + 1


def plain(command):
    with open(ERR, "wb") as err:
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=err, timeout=TIMEOUT, check=False).returncode
        except subprocess.TimeoutExpired:
            return None


def faults_of(counts, loader):
    for (process, call), n in counts.items():
        # What a process of ours does at its beginning is done by all alike.
        first = loader.get((0, call), 0) if process == 0 else 0
        if process == 0 and call == "write":
            first = 0
        for k in range(first + 1, n + 1):
            if "errno" in KINDS:
                for name in ERRORS.get(call, "").split():
                    yield process, call, k, name
            if "kill" in KINDS:
                yield process, call, k, "kill"


def walk(make, place, loader, ignored):
    scenario = make(place)
    try:
        return walk_all(scenario, loader, ignored)
    finally:
        scenario.end()


def walk_all(scenario, loader, ignored):
    began = time.monotonic()
    injected = survived = missed = 0
    scenario.reset()
    counts, end = inject(scenario.command(), None)
    wrong = scenario.after(end[0], False, 0)
    if wrong and not isinstance(scenario, VerifyDifferent):
        sys.exit(f"{scenario.name}: without a fault: {wrong}: {open(ERR).read()}")
    # A writer that gets no processor for the few milliseconds of a run does not write, and a run
    # that is slow now and then makes its checkpoints elsewhere.
    for _ in range(20 if scenario.writer or isinstance(scenario, Resume) else 1):
        scenario.reset()
        found = scenario.summary()
        if all(found.get(key) in values for key, values in scenario.shows.items()):
            break
    else:
        sys.exit(f"{scenario.name} does not show what it is for: {found}")
    faults = list(faults_of(counts, {} if scenario.from_the_start else loader))
    total = len(faults)
    if ROUNDS != "all":
        faults = chance.sample(faults, min(int(ROUNDS), total))
    for process, call, n, what in faults:
        action = str(getattr(errno, what)) if what[0] == "E" else what
        scenario.reset()
        scenario.fault = (call, what)
        _, (status, killed, hit) = inject(scenario.command(), (process, call, n, action))
        # A call that a run makes now and then: in another thread, or while it waits.
        if hit is None and status is not None:
            missed += 1
            continue
        injected += 1
        if status is None:
            wrong = ["does not end"]
        else:
            # Before main() it is the loader's, and the C library's, way to end.
            loading = status in (127, 139) and process == 0 and n <= loader.get((0, call), 0)
            wrong = [] if loading else scenario.after(status, killed or what == "kill", process)
        said = open(ERR, errors="replace").read().strip()
        if status == 0 and what[0] == "E":
            key = (call, hit[1] if call == "ioctl" else "", what)
            ignored[key] = ignored.get(key, 0) + 1
        wrong += scenario.afterwards(plain(scenario.remedy()))
        if wrong:
            print(f"FAILED {scenario.name}: process {process}, {call} {n} {hit}: {what}: status "
                  f"{status}: {'; '.join(wrong)}\n    said: {said}", flush=True)
        else:
            survived += 1
    scenario.sweep()
    print(f"# {scenario.name}: {total} possible, injected {injected}, survived {survived}"
          f", {time.monotonic() - began:.0f} s"
          + (f", {missed} not reached" if missed else ""), flush=True)
    return injected, survived


def main():
    only = os.environ.get("LULL_TEST_ONLY", "").split()
    loader, _ = inject([LULLCP, "--help"], None)
    ignored = {}
    injected = survived = 0
    for make, place in SCENARIOS:
        if only and make.name not in only:
            continue
        some, good = walk(make, place, loader, ignored)
        injected += some
        survived += good
    if os.environ.get("LULL_TEST_VERBOSE"):
        for key, n in sorted(ignored.items()):
            print(f"# status 0 in spite of {' '.join(key)}: {n}")
    print(f"# seed {SEED}: injected {injected}, survived {survived}")
    sys.exit(0 if injected > 0 and injected == survived else 1)


main()
