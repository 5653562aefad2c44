"""Prefect, set up to be quiet on the screen; the only module beside the flows that imports it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.steps import Work


def as_task(name: str, work: Work) -> None:
    """Run one step as a Prefect task run called `name`.

    Nothing is cached: files and the catalog are the memory. The work is bound beforehand, so that
    neither papers nor keys become parameters that Prefect would record.
    """

    @task(name="process", task_run_name=name, cache_policy=NO_CACHE)
    def step() -> None:
        work()

    step()
