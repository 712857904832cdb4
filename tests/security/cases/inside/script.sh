#!/var/task/mark
