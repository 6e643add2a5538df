// Finds every public method that the installed packages offer, by looking at what they export.
'use strict';
const { EventEmitter } = require('node:events');

const packages = [
  'azure-iothub', 'azure-iot-provisioning-service', 'azure-iot-device', 'azure-iot-device-mqtt', 'azure-iot-device-http',
  'azure-iot-provisioning-device', 'azure-iot-provisioning-device-mqtt', 'azure-iot-provisioning-device-http',
  'azure-iot-security-symmetric-key', 'azure-iot-security-x509', 'azure-iot-security-tpm',
];

const dummy = 'HostName=h;SharedAccessKeyName=n;SharedAccessKey=a2V5';

// returned makes, without a network, one object of each class that a package gives but does not export.
const returned = {
  'azure-iothub': () => [require('azure-iothub').Registry.fromConnectionString(dummy).createQuery('select')],
  'azure-iot-provisioning-service': () => [
    require('azure-iot-provisioning-service').ProvisioningServiceClient.fromConnectionString(dummy).createIndividualEnrollmentQuery({ query: '*' }),
  ],
  'azure-iot-provisioning-device': () => {
    const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
    const { Http } = require('azure-iot-provisioning-device-http');
    const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
    const { X509Security } = require('azure-iot-security-x509');
    const { TpmSecurityClient } = require('azure-iot-security-tpm');
    const kinds = [new SymmetricKeySecurityClient('r', 'a2V5'), new X509Security('r', { cert: '', key: '' }), new TpmSecurityClient('r', {})];
    return kinds.map((kind) => ProvisioningDeviceClient.create('h', 's', new Http(), kind));
  },
};

const isPublic = (name) => !name.startsWith('_');

// methodsOf lists the methods of a prototype and of those it inherits from, up to node's own classes.
function methodsOf(prototype) {
  const names = new Set();
  for (let at = prototype; at && at !== Object.prototype && at !== EventEmitter.prototype && at !== Error.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== 'constructor' && isPublic(name) && typeof property.value === 'function') names.add(name);
    }
  }
  return [...names];
}

// staticsOf lists the functions that a class itself, or one it extends, has.
function staticsOf(constructor) {
  const names = new Set();
  for (let at = constructor; at && at !== Function.prototype && at !== EventEmitter; at = Object.getPrototypeOf(at)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== 'prototype' && isPublic(name) && typeof property.value === 'function') names.add(name);
    }
  }
  return [...names];
}

// surface gives the keys, as table.key writes them, of all public methods of one package.
function surface(packageName) {
  const found = new Set();
  const add = (className, names) => names.forEach((name) => found.add(`${packageName} ${className ? className + '.' : ''}${name}`));
  for (const [name, value] of Object.entries(require(packageName))) {
    if (value && typeof value === 'object') {
      add(name, Object.keys(value).filter((member) => isPublic(member) && typeof value[member] === 'function'));
    } else if (typeof value === 'function') {
      const names = [...methodsOf(value.prototype), ...staticsOf(value)];
      if (names.length > 0) add(name, names);
      else if (!/^class\b/.test(value.toString())) add('', [name]);
    }
  }
  for (const object of returned[packageName]?.() ?? []) add(object.constructor.name, methodsOf(Object.getPrototypeOf(object)));
  return found;
}

module.exports = { packages, surface };
