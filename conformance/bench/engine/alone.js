// What a program costs that does nothing: the engine's start and end.
process.exit(0);
