// Runs in the CDK's Node.js process: reads many constructs in one message. See __init__.py.
"use strict";

const cdk = require("aws-cdk-lib"); // beside this package: jsii installs it there, and has loaded it

// A member of an object; one with `()` is called.
const member = (object, path) =>
    path.split(".").reduce((value, name) => (name.endsWith("()") ? value[name.slice(0, -2)]() : value?.[name]), object);

// Resolves like the CDK, and records the referenced constructs.
class References extends cdk.DefaultTokenResolver {
    constructor() {
        super(new cdk.StringConcat());
        this.targets = new Set();
    }

    resolveToken(token, context, postProcessor) {
        if (cdk.Reference.isReference(token)) {
            this.targets.add(token.target);
        }
        if (token instanceof cdk.aws_iam.PolicyDocument) {
            return context.resolve(token.toJSON()); // its own way freezes its statements, which later aspects may change
        }
        return super.resolveToken(token, context, postProcessor);
    }
}

// The constructs that a value refers to.
function targetsOf(value, scope) {
    const resolver = new References();
    cdk.Tokenization.resolve(value, { scope, resolver, preparing: false });
    return resolver.targets;
}

const FORMS = {
    value: (value) => value,
    resolved: (value, resource) => resource.stack.resolve(value),
    targets: (value, resource) => [...targetsOf(value, resource)].map((target) => target.toString()),
};

const READS = {
    members: (objects, paths, form) =>
        objects.map((object) => paths.map((path) => FORMS[form](member(object, path), object) ?? null)),

    circles: (asked) => require("./circles").circles(asked),

    find(scope, classes, types) {
        const kinds = classes.map((path) => member(cdk, path));
        const starts = types.filter((type) => type.endsWith("::"));
        const begins = (type) => starts.some((start) => type?.startsWith(start)) && !types.includes(`!${type}`);
        const wanted = (type) => types.includes(type) || begins(type);
        return scope.node
            .findAll()
            .filter((found) => wanted(found.cfnResourceType) || kinds.some((kind) => found instanceof kind))
            .map((found) => [found, found.toString()]);
    },

    holders(scope, anyOf, others) {
        const given = (found, path) => {
            try {
                return member(found, path) ?? null;
            } catch {
                return null; // an import may throw for a member that it lacks
            }
        };
        return scope.node.findAll().flatMap((found) => {
            const first = anyOf.map((path) => given(found, path)).find((value) => value !== null);
            return first === undefined ? [] : [[found.toString(), first, ...others.map((path) => given(found, path))]];
        });
    },
};

class Batch {
    static read(name, given) {
        return READS[name](...given);
    }
}

Object.assign(exports, { Batch, targetsOf });
