"""Four tasks that take a moment each, so that all workers get some of them."""

import socket
import time
from datetime import datetime

from airflow.decorators import dag, task


@dag(schedule=None, start_date=datetime(2023, 1, 1), catchup=False)
def both_workers():
    @task
    def where(number: int) -> str:
        time.sleep(3)
        print(f"number {number} ran on {socket.gethostname()}")
        return socket.gethostname()

    where.expand(number=[1, 2, 3, 4])


both_workers()
