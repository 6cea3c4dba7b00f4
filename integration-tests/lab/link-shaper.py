#!/usr/bin/env python3
"""A slow and lossy line between two interfaces, frame by frame: not every kernel has netem.

    link-shaper.py INTERFACE INTERFACE DELAY_MS JITTER_MS LOSS_PERCENT

Each direction gets the delay. It runs until it is killed. The frames that are lost are the same in each run.
"""
import heapq
import random
import select
import socket
import sys
import time

SOL_PACKET, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 23, 3


def opened(interface):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)  # what is sent here does not come back
    end.bind((interface, 0))
    end.setblocking(False)
    return end


def main():
    ends = [opened(name) for name in sys.argv[1:3]]
    print("ready", flush=True)
    delay, jitter = (float(arg) / 1000 for arg in sys.argv[3:5])
    loss = float(sys.argv[5]) / 100
    chance = random.Random(1)
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    last = {end: 0.0 for end in ends}  # frames of one direction keep their order, as on a line
    waiting, count = [], 0
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for end in select.select(ends, [], [], pause)[0]:
            try:
                while True:
                    frame = end.recv(65536)
                    if chance.random() < loss:
                        continue
                    due = time.monotonic() + delay + chance.uniform(-jitter, jitter)
                    last[end] = due = max(last[end], due)
                    count += 1
                    heapq.heappush(waiting, (due, count, other[end], frame))
            except BlockingIOError:
                pass
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, end, frame = heapq.heappop(waiting)
            try:
                end.send(frame)
            except OSError:
                pass  # as a line does with what it cannot carry


main()
