// The network of an ordinary user's container, made by slirp4netns or pasta, which a runtime hook starts. In the machine: vm/rootless-network.vmtest.ts.
import { suite } from 'uvu';
import { runtimePaths } from './harness.ts';
import { connects, missing, tools } from './rootless-network.ts';

for (const path of runtimePaths()) {
  const test = suite(`rootless network ${path}`);
  for (const tool of tools) {
    const reason = missing(tool);
    if (reason !== undefined) test.skip(reason);
    else test(`${tool}, started by a createRuntime hook, connects the container to the loopback of the host`, () => connects(path, tool));
  }
  test.run();
}
