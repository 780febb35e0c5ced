"""The HTTP door: the Workflow API in its released form and in its document form."""
