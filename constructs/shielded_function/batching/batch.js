// Runs in the CDK's Node.js process: many questions about constructs in one message. See __init__.py.
"use strict";

const cdk = require("aws-cdk-lib"); // beside this package: jsii installs it there, and has loaded it

const member = (object, path) => path.split(".").reduce((value, name) => value?.[name], object);

// What a resource discloses of itself.
function inspect(resource) {
    const attributes = {};
    resource.inspect({ addAttribute: (name, value) => (attributes[name] = value) });
    return attributes;
}

class Batch {
    static members(objects, paths) {
        return objects.map((object) => paths.map((path) => member(object, path) ?? null));
    }

    static call(objects, method) {
        return objects.map((object) => object[method]() ?? null);
    }

    // What resources disclose of themselves to the tree's metadata (CfnResource.inspect).
    static inspect(resources) {
        return resources.map(inspect);
    }

    // The same with one attribute resolved; null for a resource that has none.
    static resolve(resources, attribute) {
        return resources.map((resource) => resource.stack.resolve(inspect(resource)[attribute]) ?? null);
    }

    static create(module, type, scope, id, props) {
        return new cdk[module][type](scope, id, props);
    }

    static createAlarm(scope, id, metric, props) {
        const { Alarm, MathExpression, Metric } = cdk.aws_cloudwatch;
        const Kind = metric.expression ? MathExpression : Metric;
        return new Alarm(scope, id, { ...props, metric: new Kind(metric) });
    }

    static addAspect(construct, aspect, priority) {
        cdk.Aspects.of(construct).add(aspect, { priority });
    }

    static set(object, name, value) {
        object[name] = value;
    }

    static addEnvironment(lambda, variables) {
        for (const [name, value] of Object.entries(variables)) {
            lambda.addEnvironment(name, value);
        }
    }
}

exports.Batch = Batch;
