// config.md, POSIX-platform hooks, of runtime-spec 1.3.
import { section } from '../requirement.ts';

export const hooks = [
  ...section('config.md#posix-platform-hooks', [
    ['order', 'MUST', 'hooks of one kind run in the order of the list'],
    ['state', 'MUST', 'the state of the container comes on the standard input of a hook'],
    ['path', 'MUST', 'path is absolute'],
    ['args', 'PROPERTY', 'args is the whole argv of the hook'],
    ['env', 'PROPERTY', 'env is the environment of the hook'],
    ['timeout', 'MUST', 'timeout is above zero; a hook that takes longer has failed'],
    ['absent', 'PROPERTY', 'hooks, or any kind of it, may be absent or empty'],
  ]),
  ...section('config.md#prestart', [
    ['when', 'MUST', 'after the namespaces are made, before start runs the program, within create'],
    ['path', 'MUST', 'the path is one of the runtime namespace'],
    ['namespace', 'MUST', 'it runs in the runtime namespace'],
    ['mounts', 'SHOULD', 'it runs before the root is changed', 'seen only by a hook that reads the mounts of a process it races'],
  ]),
  ...section('config.md#createruntime-hooks', [
    ['when', 'MUST', 'within create, after the environment is made and before pivot_root'],
    ['path', 'MUST', 'the path is one of the runtime namespace'],
    ['namespace', 'MUST', 'it runs in the runtime namespace'],
  ]),
  ...section('config.md#createcontainer-hooks', [
    ['when', 'MUST', 'within create, after the environment is made and before pivot_root'],
    ['path', 'MUST', 'the path is one of the runtime namespace'],
    ['namespace', 'MUST', 'it runs in the container namespace'],
  ]),
  ...section('config.md#startcontainer-hooks', [
    ['when', 'MUST', 'within start, before the program of process is run'],
    ['path', 'MUST', 'the path is one of the container namespace'],
    ['namespace', 'MUST', 'it runs in the container namespace'],
  ]),
  ...section('config.md#poststart', [
    ['when', 'MUST', 'after the program of process was started, before start returns'],
    ['path', 'MUST', 'the path is one of the runtime namespace'],
    ['namespace', 'MUST', 'it runs in the runtime namespace'],
  ]),
  ...section('config.md#poststop', [
    ['when', 'MUST', 'after the container is deleted, before delete returns'],
    ['path', 'MUST', 'the path is one of the runtime namespace'],
    ['namespace', 'MUST', 'it runs in the runtime namespace'],
  ]),
];
