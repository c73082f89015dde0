// features.md and features-linux.md of runtime-spec 1.3.
import { section } from '../requirement.ts';

export const features = [
  ...section('features.md#specification-version', [
    ['minimum', 'MUST', 'ociVersionMin is there, and accepted as ociVersion of config.json'],
    ['maximum', 'MUST', 'ociVersionMax is there, and accepted as ociVersion of config.json'],
    ['order', 'MUST NOT', 'ociVersionMax is not below ociVersionMin'],
    ['defined', 'MUST NOT', 'the document has no property that its version does not define'],
    ['null', 'MUST NOT', 'null is something other than an empty value', 'about who reads the document'],
    ['constant', 'SHOULD', 'the content is settled when the runtime is built'],
  ]),
  ...section('features.md#hooks', [['supported', 'MUST', 'each hook it lists is supported']]),
  ...section('features.md#mount-options', [
    ['recognised', 'MUST', 'each mount option it lists is recognised'],
    ['data', 'SHOULD NOT', 'options that are data of a filesystem are not listed'],
  ]),
  ...section('features.md#annotations', [['map', 'MUST', 'annotations is a map of strings']]),
  ...section('features.md#unsafe-annotations', [['list', 'PROPERTY', 'potentiallyUnsafeConfigAnnotations is a list of names and prefixes']]),
  ...section('features-linux.md#namespaces', [['supported', 'MUST', 'each namespace it lists is supported']]),
  ...section('features-linux.md#capabilities', [['recognised', 'MUST', 'each capability it lists is recognised']]),
  ...section('features-linux.md#cgroup', [['shape', 'PROPERTY', 'v1, v2, systemd, systemdUser and rdma are booleans']]),
  ...section('features-linux.md#seccomp', [
    ['actions', 'MUST', 'each action it lists is recognised'], ['operators', 'MUST', 'each operator it lists is recognised'],
    ['archs', 'MUST', 'each architecture it lists is recognised'], ['knownFlags', 'MUST', 'each flag of knownFlags is recognised'],
    ['supportedFlags', 'MUST', 'each flag of supportedFlags is supported, and known'],
  ]),
  ...section('features-linux.md#modules', [['shape', 'PROPERTY', 'apparmor, selinux, intelRdt, mountExtensions.idmap and netDevices say whether they are enabled']]),
];
