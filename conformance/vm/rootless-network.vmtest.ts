// The network of an ordinary user's container, made by slirp4netns or pasta, which a runtime hook starts, under Debian's own kernel.
import { connects, tools } from '../rootless-network.ts';
import { runt } from './guest.ts';
import { suite } from './tap.ts';

const test = suite('rootless network');
for (const tool of tools) test(`${tool}, started by a createRuntime hook, connects the container to the loopback of the host`, () => connects(runt, tool));
test.run();
