"""The fields of `experiment` in a study of a program or a function: what each has by default, and what it means."""

from __future__ import annotations

COMMAND = {
    "command": ("required", "The program and its arguments, a list; factors and {seed} stand in braces."),
    "metrics": (
        "required",
        "A metric's name to minimise or maximise, or to its fields: goal, unit (% has differences in points), title, "
        "decimals, and key, what it is called where it is read. The first decides.",
    ),
    "read": (
        "{json: metrics.json}",
        "Where the metrics are: json, csv or tensorboard in the trial's folder, mlflow: true, or regex of what is "
        "printed; at says which of several values counts: last, first, lowest, highest.",
    ),
    "code": (
        "–",
        "Files and folders that are part of what a trial is: changed code is another trial; those that the command "
        "names, if not given.",
    ),
    "env": ("–", "Environment variables to texts, in which factors may stand in braces."),
    "resume": ("–", "Arguments that are added where an earlier attempt was stopped."),
    "flags": (
        "–",
        "A factor that is true or false to its option, {nesterov: --nesterov}, or to those for true and for false.",
    ),
    "grace": ("5", "Seconds to save a state between SIGTERM and SIGKILL, at most 3,600."),
    "keep": ("false", "Whether the trial's folder is kept, in results/STUDY/artifacts/KEY."),
    "gpus": ("–", "GPUs of one trial, 0 for none; as the sweep shares them out, if not given."),
}
"""Of a program."""

FUNCTION = {
    "call": ("required", "The function, MODULE:FUNCTION, imported from beside the study's file, too."),
    "metrics": ("required", "As of a program, but without key: the function returns them by name."),
    "code": ("–", "As of a program, beside the function's own module."),
    "keep": ("false", "As of a program."),
}
"""Of a function, as study files have them."""
