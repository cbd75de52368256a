"""Speed, measured against what one would use instead. Run from a clone; nothing here is installed.

Each program is run as `python -m bench.ROOM.NAME`, and has a `--help`.

    python -m bench   throughput of the contenders in turns; with --measure, the two other measures (`make bench`)
        command       its options and what it prints
        throughput    runs contenders in turns, compares them and records the outcome
        measures      how busy a sweep's workers are, and the time to an accuracy
        table         the record of a bench as a table, which documents quote

    contenders/       what is timed side by side
        entries       who there is, and how one is run
        ours, plain_pytorch, lightning_trainer, timm_loop   the contenders
        setting, network   options, images, clock and network that they share
        time_to_accuracy   ours or plain PyTorch on one core, until a test accuracy is reached

    sweeps/
        unequal       the share of time in which workers are busy with trials of unequal length
        overhead      what a trial costs beside its training, in processes and on Ray (`make bench-overhead`)
        books         time and memory of `ablate status` and `ablate report` on long records
        sweeping, made_up  a sweep with a clock, and outcomes that no one trained

    kernels/
        step_profile  where a training step spends its time
        convolutions  Winograd's convolutions against PyTorch's, time and rounding
        passes        each fused pass against the plain code
        same_loss     the loss with every kernel, against plain code

    gpu/          `bench/gpu.sh`: whether the GPU path is right, then how fast it is; `--dry` tries it on a processor
        checks        rounding, the same bits twice, from a graph and after a stop, a lost GPU
        speed, together, accuracy   one training, several at once, and the time to an accuracy
        steps, page   what is run in which order, and the page of what was found

    studies/
        single_runs   what single runs would have said, beside what all seeds say
        signal_at_start    how much of the images' differences reaches the classifier before training
        search_against_random   a search with two objectives against random search
        recorded      a study's errors from its record

    programs, our_training, pages   what several programs share
"""
