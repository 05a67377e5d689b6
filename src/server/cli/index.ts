/** The command line's door. */
export { parseCommandLine, type Command } from './command-line.ts';
export { writePidFile, writePortsFile, type ListeningPorts } from './run-files.ts';
export { COMPATIBLE_VERSION, ownVersion, programName } from './version.ts';
