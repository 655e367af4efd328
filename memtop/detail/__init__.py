"""What a frame carries of the process in focus beside its row: values, with the judgement on them."""
