// Every file of cases, in the order of the report.
import './lifecycle.ts';
import './state.ts';
import './process.ts';
import './mounts.ts';
import './namespaces.ts';
import './devices.ts';
import './linux.ts';
import './cgroups.ts';
import './seccomp.ts';
import './hooks.ts';
import './errors.ts';
import './features.ts';
import './callers.ts';
import './security.ts';
import './figures.ts';
