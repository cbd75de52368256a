"""The time of one training on the GPU until 90 % and 94 % of the test images are recognised, tests left out."""

from __future__ import annotations

import time

from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import evaluate
from ablations.running.training.trainer import Observer
from bench.gpu.training import device_here, trainer_on, wait_for
from bench.our_training import images
from bench.programs import add_data, program_parser, run_program, tell

TARGETS = (90, 94)


def main() -> None:
    """Train, test after each epoch, and print JSON."""
    parser = program_parser(__doc__, epochs=20, batch=128, images=50_000)
    add_data(parser)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="bf16")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    device, data = device_here(dry=options.dry), images(options.data, options.images)
    trainer = trainer_on(
        device,
        data=options.data,
        count=options.images,
        epochs=float(options.epochs),
        batch_size=options.batch,
        precision=options.precision,
    )
    trained, told = 0.0, []
    begun = time.perf_counter()

    def epoch(_: object) -> None:
        nonlocal trained, begun
        wait_for(device)
        trained += time.perf_counter() - begun
        error, *_rest = evaluate(trainer.tested, data, device, options.precision)
        told.append((trained, 100 - error))
        trainer.model.train()
        begun = time.perf_counter()

    trainer.run(Observer(epoch=epoch), Supervisor())
    reached = {str(target): next((s for s, right in told if right >= target), None) for target in TARGETS}
    tell(seconds_to=reached, best=max(right for _, right in told), seconds=trained, epochs=len(told))


if __name__ == "__main__":
    run_program(main)
