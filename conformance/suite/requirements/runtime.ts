// runtime.md and bundle.md of runtime-spec 1.3.
import { section } from '../requirement.ts';

export const runtime = [
  ...section('bundle.md#container-format', [
    ['config', 'MUST', 'a bundle holds config.json, by that name, at its root'],
    ['root', 'MUST', 'the directory that root.path names is there when root is set'],
    ['together', 'MUST', 'all of a bundle lies in one directory of the local filesystem', 'about how a bundle is shipped, not about a runtime'],
  ]),
  ...section('runtime.md#scope-of-a-container', [
    ['creator', 'MUST', 'who made a container can use every operation on it'],
  ]),
  ...section('runtime.md#state', [
    ['ociVersion', 'MUST', 'state has the version of the specification it follows'],
    ['id', 'MUST', 'state has the id of the container'],
    ['id-unique', 'MUST', 'an id is unique among the containers of this host'],
    ['status', 'MUST', 'state has the status: creating, created, running or stopped'],
    ['status-other', 'MUST', 'other values of status stand for states the document does not define'],
    ['pid', 'MUST', 'state has the pid of the process as the host sees it, in created and running'],
    ['bundle', 'MUST', 'state has the absolute path of the bundle'],
    ['annotations', 'MUST', 'state has the annotations of config.json'],
    ['annotations-absent', 'PROPERTY', 'without annotations the map is absent or empty'],
    ['json', 'MUST', 'serialised state is a JSON object of exactly this shape; other keys may be added'],
  ]),
  ...section('runtime.md#lifecycle', [
    ['create-environment', 'MUST', 'step 2: the environment is made as config.json says'],
    ['create-error', 'MUST', 'step 2: if it cannot be made, that is an error'],
    ['create-not-run', 'MUST NOT', 'step 2: the program of process is not run by create'],
    ['config-frozen', 'MUST NOT', 'step 2: later changes of config.json do not touch the container'],
    ['prestart', 'MUST', 'step 3: prestart hooks run; a failure is an error, stops the container and goes on at step 12'],
    ['createRuntime', 'MUST', 'step 4: createRuntime hooks run; a failure is an error, stops the container and goes on at step 12'],
    ['createContainer', 'MUST', 'step 5: createContainer hooks run; a failure is an error, stops the container and goes on at step 12'],
    ['startContainer', 'MUST', 'step 7: startContainer hooks run; a failure is an error, stops the container and goes on at step 12'],
    ['start-run', 'MUST', 'step 8: the program of process runs'],
    ['poststart', 'MUST', 'step 9: poststart hooks run; a failure is an error, stops the container and goes on at step 12'],
    ['destroy', 'MUST', 'step 12: delete undoes what create did'],
    ['poststop', 'MUST', 'step 13: poststop hooks run; a failure is a warning, the other hooks and the operation go on'],
  ]),
  ...section('runtime.md#errors', [
    ['untouched', 'MUST', 'an error leaves the environment as if the operation had not been tried'],
  ]),
  ...section('runtime.md#warnings', [
    ['continue', 'MUST', 'a warning changes nothing in the flow of an operation'],
  ]),
  ...section('runtime.md#operations', [
    ['all', 'MUST', 'query state, create, start, kill and delete are there'],
  ]),
  ...section('runtime.md#query-state', [
    ['no-id', 'MUST', 'state without an id is an error'],
    ['unknown', 'MUST', 'state of a container that does not exist is an error'],
    ['returns', 'MUST', 'state answers with the state of the container'],
  ]),
  ...section('runtime.md#create', [
    ['no-arguments', 'MUST', 'create without an id, or without a bundle, is an error'],
    ['not-unique', 'MUST', 'an id that is taken is an error, and makes no container'],
    ['invalid-id', 'MUST', 'an id that is not valid is an error, and makes no container'],
    ['applied', 'MUST', 'everything in config.json but process is applied'],
    ['process-later', 'MUST NOT', 'process.args does not take effect before start'],
    ['process-optional', 'PROPERTY', 'process may be absent until start'],
    ['property-error', 'MUST', 'a property that cannot be applied as written is an error, and makes no container'],
    ['validate', 'PROPERTY', 'a runtime may check config.json before step 2'],
    ['created', 'PROPERTY', 'after create the status is created'],
  ]),
  ...section('runtime.md#start', [
    ['no-id', 'MUST', 'start without an id is an error'],
    ['unknown', 'MUST', 'start of a container that does not exist is an error'],
    ['not-created', 'MUST', 'start of a container that is not created is an error'],
    ['no-effect', 'MUST NOT', 'start of a container that is not created does nothing to it'],
    ['runs', 'MUST', 'start runs the program of process'],
    ['no-process', 'MUST', 'start is an error when process was not set'],
  ]),
  ...section('runtime.md#kill', [
    ['no-id', 'MUST', 'kill without an id is an error'],
    ['stopped', 'MUST', 'kill of a container neither created nor running is an error'],
    ['no-effect', 'MUST NOT', 'kill of a container neither created nor running does nothing to it'],
    ['sends', 'MUST', 'kill sends the named signal to the process'],
  ]),
  ...section('runtime.md#delete', [
    ['no-id', 'MUST', 'delete without an id is an error'],
    ['unknown', 'MUST', 'delete of a container that does not exist is an error'],
    ['not-stopped', 'MUST', 'delete of a container that is not stopped is an error'],
    ['no-effect', 'MUST NOT', 'delete of a container that is not stopped does nothing to it'],
    ['resources', 'MUST', 'delete removes what create made'],
    ['others', 'MUST NOT', 'delete leaves what is used by the container but was not made by create'],
    ['id-free', 'PROPERTY', 'after delete the id may be used again'],
  ]),
];
