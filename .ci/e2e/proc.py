"""Processes and sockets as Linux shows them under /proc."""

import ipaddress
import os
import re
import socket
import struct
import time

# The state column of /proc/net/tcp (include/net/tcp_states.h).
TCP_LISTEN = 0x0A
TABLES = ("tcp", "tcp6", "udp", "udp6")


class Process:
    """A process, known by its id and the moment it started: ids are used again."""

    def __init__(self, pid, started, name):
        self.pid, self.started, self.name = pid, started, name

    def __repr__(self):
        return f"{self.name}({self.pid})"

    def alive(self):
        stat = _stat(self.pid)
        return stat is not None and stat["started"] == self.started and stat["state"] != "Z"


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            head, tail = file.read().rsplit(")", 1)
    except OSError:
        return None
    fields = tail.split()
    return {"name": head.split("(", 1)[1], "state": fields[0], "parent": int(fields[1]), "started": fields[19]}


def tree(pid):
    """A process and all its descendants that live now."""
    stats = {int(entry): _stat(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()}
    members, queue = [], [pid]
    while queue:
        current = queue.pop()
        stat = stats.get(current)
        if stat is None:
            continue
        members.append(Process(current, stat["started"], stat["name"]))
        queue += [child for child, of in stats.items() if of and of["parent"] == current]
    return members


def survivors(processes, patience):
    """Those that still live after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        alive = [process for process in processes if process.alive()]
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.1)


def listening(processes):
    """(process, table, address, port) of every socket of these processes that takes what comes from outside."""
    table = _sockets()
    found = []
    for process in processes:
        for inode in _inodes(process.pid):
            if inode in table:
                found.append((process, *table[inode]))
    return found


def _inodes(pid):
    folder = f"/proc/{pid}/fd"
    inodes = set()
    for entry in os.listdir(folder) if os.path.isdir(folder) else []:
        try:
            target = os.readlink(f"{folder}/{entry}")
        except OSError:
            continue
        if match := re.fullmatch(r"socket:\[(\d+)\]", target):
            inodes.add(match[1])
    return inodes


def _sockets():
    by_inode = {}
    for table in TABLES:
        path = f"/proc/net/{table}"
        if not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as file:
            for line in list(file)[1:]:
                fields = line.split()
                if table.startswith("tcp") and int(fields[3], 16) != TCP_LISTEN:
                    continue
                address, port = fields[1].split(":")
                by_inode[fields[9]] = (table, _address(address), int(port, 16))
    return by_inode


def _address(text):
    """The kernel prints an address as 32-bit words in the machine's byte order."""
    words = [int(text[at:at + 8], 16) for at in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(struct.pack("=I", word) for word in words))


def accepts(port):
    """Whether somebody on this machine's loopback takes a connection on the port."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
