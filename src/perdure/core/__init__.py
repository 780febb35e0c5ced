"""The pure core: (state, inbox, actions, now) in, (history, state, effects) out.

Nothing here reads a clock, draws a number, does I/O or logs. An instance is a list of events
(`events`) and their fold (`state`). The outside asks with requests, which `admit` accepts or
refuses; workflow code decides with actions, which `turn` turns into new events and effects.
"""
