"""What a training changes in a finished network without changing what it computes once it is trained."""
