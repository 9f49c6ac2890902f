// Laid out in Package.swift; the module's parts follow.
