// Whether a text in a resource would cause a circular dependency: CloudFormation orders the resources of a stack,
// including nested stacks, and the CDK orders the stacks.
"use strict";

const { CfnElement, CfnResource, Stack } = require("aws-cdk-lib");

const { targetsOf } = require("./batch");

// The stacks of a construct, the outermost first.
function stacksOf(construct) {
    const found = [];
    for (let stack = Stack.of(construct); stack; stack = stack.nestedStackParent) {
        found.unshift(stack);
    }
    return found;
}

// The innermost common stack of two constructs; undefined for none.
function levelOf(one, other) {
    const others = stacksOf(other);
    return stacksOf(one)
        .filter((stack, at) => stack === others[at])
        .pop();
}

// The ordered part of a construct at a level: within a stack its resource that contains the construct, without a stack
// the construct's stack; undefined for a construct elsewhere.
function partOf(construct, level) {
    const stacks = stacksOf(construct);
    if (level && !stacks.includes(level)) {
        return undefined;
    }
    const stack = stacks[level ? stacks.indexOf(level) + 1 : 0];
    return stack ? (stack.nestedStackResource ?? stack) : construct;
}

// The stack of a part.
function stackOf(part) {
    if (part instanceof Stack || part.cfnResourceType !== "AWS::CloudFormation::Stack") {
        return part instanceof Stack ? part : undefined;
    }
    return part.node.scope.node.scope?.node.children.find((each) => each.nestedStackResource === part);
}

// The elements of a stack, without those of stacks in it that are deployed separately.
function elementsOf(stack) {
    return stack.node.findAll().filter((each) => each instanceof CfnElement && stacksOf(each).includes(stack));
}

class Graph {
    constructor() {
        this.known = new Map();
        this.added = new Map();
    }

    // The constructs that an element refers to or depends on.
    targets(element) {
        if (!this.known.has(element)) {
            this.known.set(element, Graph.read(element));
        }
        return [...this.known.get(element), ...(this.added.get(element) ?? [])];
    }

    static read(element) {
        const found = new Set(element.obtainDependencies?.());
        try {
            targetsOf(element.cfnProperties ?? element.value, element).forEach((target) => found.add(target));
        } catch {
            // A value that cannot be resolved yet fails the synthesis later, with the CDK's message.
        }
        for (let scope = element; scope; scope = scope.node.scope) {
            for (const dependency of scope.node.dependencies) {
                for (const each of dependency.node.findAll()) {
                    if (each instanceof CfnResource || each instanceof Stack) {
                        found.add(each);
                    }
                }
            }
        }
        return found;
    }

    // The parts that a part depends on.
    next(part, level) {
        const stack = stackOf(part);
        const elements = [...(part === stack ? [] : [part]), ...(stack ? elementsOf(stack) : [])];
        const targets = elements.flatMap((element) => this.targets(element));
        const declared = part === stack ? stack.dependencies : [];
        const parts = [...targets, ...declared].map((target) => partOf(target, level));
        return new Set(parts.filter((each) => each && each !== part));
    }

    // The parts on the path from one to another; undefined for none.
    way(from, to, level) {
        const before = new Map([[from, undefined]]);
        for (const part of before.keys()) {
            if (part === to) {
                const found = [];
                for (let each = to; each; each = before.get(each)) {
                    found.unshift(each);
                }
                return found;
            }
            for (const each of this.next(part, level)) {
                if (!before.has(each)) {
                    before.set(each, part); // a Map's keys are visited in their order, those that come meanwhile too
                }
            }
        }
        return undefined;
    }

    // The circle that a reference would close; without one, the reference is recorded.
    add(element, target) {
        const level = levelOf(element, target);
        const way = this.way(partOf(target, level), partOf(element, level), level);
        if (!way) {
            this.added.set(element, [...(this.added.get(element) ?? []), target]);
        }
        return way && [partOf(element, level), ...way].map((part) => (stackOf(part) ?? part).node.path);
    }
}

function circles(asked) {
    const graph = new Graph();
    return asked.map(([resource, text]) => {
        for (const target of targetsOf(text, resource)) {
            const circle = graph.add(resource, target);
            if (circle) {
                return circle;
            }
        }
        return null;
    });
}

exports.circles = circles;
