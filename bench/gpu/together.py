"""Several trainings at once on one GPU, in processes of their own: images a second of all of them."""

from __future__ import annotations

import time

from ablations.running.executors.process_pool import WorkerPool
from ablations.running.machine.cuda.mps import gpu_service
from ablations.running.machine.devices import visible_gpus
from bench.gpu.in_workers import ready, steps_between
from bench.programs import program_parser, run_program, tell


def main() -> None:
    """Train in as many processes as are asked for, and print JSON."""
    parser = program_parser(__doc__, at_once=2, batch=128, milliseconds=5000, ready=15)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    gpus = () if options.dry else visible_gpus()[:1]
    with gpu_service() as service:
        pool = WorkerPool(options.at_once, threads=1, gpus=gpus, environment=service.environment)
        try:
            list(pool.map(ready, range(options.at_once)))  # the imports are not the trainings'
            start = time.time() + options.ready
            asked = [(options.batch, options.precision, start, options.milliseconds / 1e3, options.dry)]
            found = list(pool.map(steps_between, asked * options.at_once))
            how = service.how()
        finally:
            pool.kill()
    late = sum(begun > start for begun, _ in found)
    tell(images_per_second=sum(rate for _, rate in found), late=late, how=how)


if __name__ == "__main__":
    run_program(main)
