// config-linux.md, seccomp, of runtime-spec 1.3.
import { section } from '../requirement.ts';

export const seccomp = [
  ...section('config-linux.md#seccomp', [
    ['defaultAction', 'PROPERTY', 'defaultAction holds for calls that nothing matches'],
    ['defaultErrnoRet', 'PROPERTY', 'defaultErrnoRet is the errno of the default action'],
    ['defaultErrnoRet-action', 'MUST', 'defaultErrnoRet of an action without errno is an error'],
    ['architectures', 'PROPERTY', 'architectures are those the filter is for'],
    ['flags', 'PROPERTY', 'flags are those of seccomp(2)'],
    ['listenerPath', 'MUST', 'the listener is sent over a stream socket at listenerPath, one state for each connection, which is then closed'],
    ['listenerPath-error', 'MUST', 'a failure to send is an error'],
    ['listenerPath-ignored', 'PROPERTY', 'without SCMP_ACT_NOTIFY listenerPath is ignored'],
    ['listenerMetadata', 'MUST NOT', 'listenerMetadata is not set without listenerPath', 'about who writes a configuration'],
    ['names', 'MUST', 'names has at least one entry'],
    ['action', 'PROPERTY', 'action is what happens to a matching call'],
    ['action-unknown', 'MUST', 'an action that is not known is an error'],
    ['errnoRet', 'PROPERTY', 'errnoRet is the errno of the rule, EPERM by default'],
    ['errnoRet-action', 'MUST', 'errnoRet of an action without errno is an error'],
    ['args', 'PROPERTY', 'args compare arguments: index, value, valueTwo, op'],
    ['unknown-call', 'PROPERTY', 'a name this kernel does not know is no error'],
  ]),
  ...section('config-linux.md#the-container-process-state', [
    ['json', 'MUST', 'it is JSON in the payload; descriptors go by SCM_RIGHTS, in the first message'],
    ['fds', 'PROPERTY', 'fds names the descriptors, seccompFd among them'],
    ['pid', 'PROPERTY', 'pid is the process as the runtime sees it'],
    ['metadata', 'PROPERTY', 'metadata is listenerMetadata'],
    ['state', 'PROPERTY', 'state is the state of the container'],
  ]),
];
