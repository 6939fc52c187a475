var D={inferno:"00000402020c0504170a072210092d160b391e0c45260c512f0a5b380962400a67490b6a510e6c59106e61136e69166e71196e781c6d801f6c88226a902568982766a02a63a82e5fb0315bb73557bf3952c63d4dcc4248d34743d94d3ddf5337e45a31e9612bed6925f1711ff47918f78212f98b0bfa9407fb9d07fca60cfcb014fbba1ffac42af8cd37f6d746f4e156f2ea69f2f27df5f992fcffa4",magma:"00000402020b0504160907200e0b2b140e361a104221114e29115a311165390f6e420f754a107952137c5a167e6219806a1c81721f81792282812581892881912b81992d80a1307eaa337db2357bba3878c23b75ca3e72d2426fd9466be04c67e75263ec5860f1605df4695cf7725cf97b5dfb8560fc8e64fd9869fea16efeaa74feb47bfebd82fec68afecf92fed89afde2a3fdebacfcf4b6fcfdbf",plasma:"0d08871b068d2605912f059638049a41049d4903a05102a35901a56100a76900a87100a87801a88004a88707a68e0ca49511a19c179ea21d9aa82296ae2892b42e8dba3388bf3984c43e7fc9447acd4a76d24f71d6556dda5b69de6164e26660e66c5ce97257ed7953f07f4ff3854bf58c46f79342f99a3efba139fca835fdaf31feb72dfebe2afdc627fcce25fbd724f8df25f6e826f3f027f0f921",viridis:"44015446085c471063481769481d6f482475472a7a46307e453781433d844142873f48893d4e8a3a538b38598c355e8d33638d31688e2e6d8e2c718e2a768e297b8e27808e25848e23898e218e8d20928c1f978b1e9c891fa18821a58524aa8328ae802eb37c35b7793dbc7446c06f50c46a5ac86465cb5e70cf577cd25089d54895d840a2da37b0dd2fbddf26cae11fd8e219e5e419f1e51dfde725",cividis:"00224e002656002a5f002d68003070083370163770203a6f273e6e2e416d34456c3a486c3f4c6c444f6c49536c4e566c535a6d575d6d5c616e60646f656870696b716d6f727272747676767a7a787e7d788381798885788d8878928c789690779b9476a09875a59c74aaa073afa471b5a86fbaac6dbfb06bc4b468c9b965cfbd62d4c15fdac65bdfca57e5cf52ead34cf0d846f6dd3ffce236fee838",turbo:"30123b36215f3b2f803f3e9c424bb54559cb4666dd4773eb4680f6458cfd4099ff38a5fb2fb2f427bee91fc9dd1ad4d018ddc21ae4b622ebaa2ff19b3ff68a52fa7a65fd6979fe598bff4b9cfe40a9fb39b7f735c3f134d0ea34dbe236e5d938eecf3af5c53afaba39fdae35fea130fe932afc8423f9751df46617ef5811e84b0ce14109d83706ce2d04c32503b71d02a916019b0f018b09027a0403",spectral_r:"5e4fa2555aa74d65ad4471b23b7cb73387bc3b92b9459eb450a9af5ab4ab64c0a671c6a57ecca58cd1a499d6a4a7dba4b3e0a2bfe5a0caea9ed6ee9be1f399e9f69deef8a4f3faacf8fcb4fdfebbfffcbafff6b0fff0a6feea9bfee491fedc88fed27ffec877fdbf6ffdb567fcaa5ffb9d59f99153f7844ef57748f36b43ed6246e75948e1504bda464dd43d4fc9314cbe254ab41947a90d459e0142",gray:"000000ffffff"};var M=4096;var q=Object.keys(D);var N=[137,80,78,71,13,10,26,10];async function R(i){let t=new Uint8Array(i),o=new DataView(i);if(!N.every((n,h)=>t[h]===n))throw new Error("not a PNG");let e=0,a=0,r=[];for(let n=8;n+12<=t.length;){let h=o.getUint32(n),l=String.fromCharCode(...t.subarray(n+4,n+8));if(l==="IHDR"){if(e=o.getUint32(n+8),a=o.getUint32(n+12),t[n+16]!==16||t[n+17]!==0||t[n+20]!==0)throw new Error("not a grey PNG of 16 bits")}else l==="IDAT"&&r.push(t.subarray(n+8,n+8+h));n+=12+h}let s=new Blob(r).stream().pipeThrough(new DecompressionStream("deflate")),c=new Uint8Array(await new Response(s).arrayBuffer());return{width:e,height:a,values:P(c,e,a)}}function P(i,t,o){let e=t*2;if(i.length<o*(e+1))throw new Error("the PNG is not complete");let a=new Uint16Array(t*o),r=new Uint8Array(e),s=new Uint8Array(e);for(let c=0,n=0,h=0;c<o;c++){let l=i[n++];for(let f=0;f<e;f++){let d=f>1?s[f-2]:0,u=r[f],m=f>1?r[f-2]:0,b=0;if(l===1)b=d;else if(l===2)b=u;else if(l===3)b=d+u>>1;else if(l===4){let w=Math.abs(u-m),E=Math.abs(d-m),v=Math.abs(d+u-2*m);b=w<=E&&w<=v?d:E<=v?u:m}s[f]=i[n++]+b}for(let f=0;f<e;f+=2)a[h++]=s[f]<<8|s[f+1];[r,s]=[s,r]}return a}var T=class i{constructor({width:t,height:o,values:e},a){this.width=t,this.height=o,this.values=e,this.info=a,this.low=a.range[0],this.high=a.range[1],this.isDistance=a.kind!==void 0&&a.kind.startsWith("metric"),this.counts=new Uint32Array(65536);for(let r of e)this.counts[r]++;this.levels=this.counts.reduce((r,s)=>r+(s?1:0),0)}static async read(t,o){return new i(await R(t),o)}levelsOfNearness(){return this.isDistance?this.values.map(t=>65535-t):this.values}within(t){let o=Math.ceil(Math.max(this.width,this.height)/t);if(o<=1)return this;let[e,a]=[this.width,this.height].map(s=>Math.max(1,Math.floor(s/o))),r=new Uint16Array(e*a);for(let s=0;s<r.length;s++)r[s]=this.values[Math.floor(s/e)*o*this.width+s%e*o];return new i({width:e,height:a,values:r},this.info)}nearness(t,o){let e=Math.min(this.width-1,Math.max(0,Math.floor(t))),a=Math.min(this.height-1,Math.max(0,Math.floor(o))),r=this.values[a*this.width+e]/65535;return this.isDistance?1-r:r}value(t,o){let e=this.nearness(t,o);return this.low+(this.isDistance?1-e:e)*(this.high-this.low)}steadyNearness(t,o){let e=[];for(let a=-2;a<=2;a++)for(let r=-2;r<=2;r++)e.push(this.nearness(t+r,o+a));return e.sort((a,r)=>a-r)[12]}};var U=`
uniform highp usampler2D depth;
uniform highp usampler2D tones;
float levelOf(highp usampler2D map, ivec2 at) {
  return float(texelFetch(map, clamp(at, ivec2(0), textureSize(map, 0) - 1), 0).r) / 65535.0;
}
float smoothed(highp usampler2D map, vec2 place) {
  vec2 exact = place * vec2(textureSize(map, 0)) - 0.5;
  ivec2 at = ivec2(floor(exact));
  vec2 share = fract(exact);
  return mix(mix(levelOf(map, at), levelOf(map, at + ivec2(1, 0)), share.x),
             mix(levelOf(map, at + ivec2(0, 1)), levelOf(map, at + ivec2(1, 1)), share.x), share.y);
}
float level(ivec2 at) { return levelOf(depth, at); }
float nearness(vec2 place) { return smoothed(depth, place); }`,y=class i{constructor(t,o){this.canvas=t,this.gl=o,this.depth=o.createTexture(),this.tones=o.createTexture(),this.longest=o.getParameter(o.MAX_TEXTURE_SIZE),this.photo=o.createTexture(),this.colours=o.createTexture()}static on(t){let o=t.getContext("webgl2",{antialias:!0,alpha:!0,premultipliedAlpha:!0,preserveDrawingBuffer:!0});return o&&new i(t,o)}show(t,o){let{gl:e}=this;this.isDistance=t.isDistance,this.#t(this.depth,t,t.levelsOfNearness()),this.#e(this.photo,e.LINEAR),e.texImage2D(e.TEXTURE_2D,0,e.RGBA8,e.RGBA,e.UNSIGNED_BYTE,o)}colour(t,o,e){let{gl:a}=this;this.#t(this.tones,o,e),this.#e(this.colours,a.NEAREST),a.texImage2D(a.TEXTURE_2D,0,a.RGBA8,M,1,0,a.RGBA,a.UNSIGNED_BYTE,t)}program(t,o){let{gl:e}=this,a=e.createProgram();for(let[r,s]of[[e.VERTEX_SHADER,t],[e.FRAGMENT_SHADER,o]]){let c=e.createShader(r);e.shaderSource(c,s),e.compileShader(c),e.attachShader(a,c)}if(e.linkProgram(a),!e.getProgramParameter(a,e.LINK_STATUS))throw new Error(e.getProgramInfoLog(a)??"WebGL");return a}begin(t,o){let{gl:e}=this;e.viewport(0,0,this.canvas.width,this.canvas.height),e.useProgram(t);for(let[a,r]of["depth","tones","photo","colours"].entries())e.activeTexture(e.TEXTURE0+a),e.bindTexture(e.TEXTURE_2D,[this.depth,this.tones,this.photo,this.colours][a]),e.uniform1i(e.getUniformLocation(t,r),a);e.uniform1i(e.getUniformLocation(t,"isDistance"),Number(this.isDistance));for(let[a,r]of Object.entries(o)){let s=e.getUniformLocation(t,a);typeof r=="number"?e.uniform1f(s,r):r.length===2?e.uniform2f(s,r[0],r[1]):r.length===3?e.uniform3f(s,r[0],r[1],r[2]):r.length===4?e.uniform4f(s,r[0],r[1],r[2],r[3]):e.uniformMatrix4fv(s,!1,r)}}#t(t,{width:o,height:e},a){let{gl:r}=this;r.pixelStorei(r.UNPACK_ALIGNMENT,1),this.#e(t,r.NEAREST),r.texImage2D(r.TEXTURE_2D,0,r.R16UI,o,e,0,r.RED_INTEGER,r.UNSIGNED_SHORT,a)}#e(t,o){let{gl:e}=this;e.activeTexture(e.TEXTURE0),e.bindTexture(e.TEXTURE_2D,t);for(let a of[e.TEXTURE_MIN_FILTER,e.TEXTURE_MAG_FILTER])e.texParameteri(e.TEXTURE_2D,a,o);for(let a of[e.TEXTURE_WRAP_S,e.TEXTURE_WRAP_T])e.texParameteri(e.TEXTURE_2D,a,e.CLAMP_TO_EDGE)}};function S(i,t,o){return i.isDistance?Math.max(.001,i.low+(1-t)*(i.high-i.low)):1/(1/o+t*(1-1/o))}function _(i,t,o){return o*t*640/i.width}var O=1e6,z=`#version 300 es
precision highp float;
precision highp int;
${U}
uniform sampler2D photo;
uniform sampler2D colours;
uniform mat4 view;
uniform vec3 range; // lowest and highest distance of a metric network; the ratio of a relative one
uniform vec3 grid; // columns, rows, pixels between points
uniform vec4 shape; // tangent of half the angle of view, jump that is an edge, width and height of the canvas
uniform bool isDistance;
uniform float painted;
out vec3 colour;
float distanceOf(float near) {
  if (isDistance) return max(0.001, range.x + (1.0 - near) * (range.y - range.x));
  return 1.0 / (1.0 / range.z + near * (1.0 - 1.0 / range.z));
}
vec4 seen(ivec2 at, float z) {
  vec2 size = vec2(textureSize(depth, 0));
  vec2 middle = (vec2(at) + 0.5 - size * 0.5) * (2.0 * shape.x / size.x) * z;
  return view * vec4(middle.x, -middle.y, -z, 1.0);
}
void main() {
  int columns = int(grid.x);
  int step = int(grid.z);
  ivec2 at = ivec2(gl_VertexID % columns, gl_VertexID / columns) * step;
  vec2 size = vec2(textureSize(depth, 0));
  float near = level(at);
  float z = distanceOf(near);
  float nearest = z, farthest = z;
  for (int y = -1; y <= 1; y++) for (int x = -1; x <= 1; x++) {
    float other = distanceOf(level(at + ivec2(x, y) * step));
    nearest = min(nearest, other);
    farthest = max(farthest, other);
  }
  gl_Position = seen(at, z);
  // A point covers the gaps to its neighbours, also where the surface is seen from the front of a slope.
  vec2 here = gl_Position.xy / gl_Position.w;
  float gap = 0.0;
  for (int side = 0; side < 2; side++) {
    ivec2 other = at + (side == 0 ? ivec2(step, 0) : ivec2(0, step));
    vec4 there = seen(other, distanceOf(level(other)));
    gap = max(gap, length((there.xy / there.w - here) * shape.zw) * 0.5);
  }
  gl_PointSize = clamp(gap * 1.25 + 0.6, 1.0, 14.0);
  if (farthest - nearest > shape.y * nearest) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  vec2 place = (vec2(at) + 0.5) / size;
  colour = painted > 0.5 ? texelFetch(colours, ivec2(int(levelOf(tones, at) * 4095.0 + 0.5), 0), 0).rgb : textureLod(photo, place, 0.0).rgb;
}`,B=`#version 300 es
precision mediump float;
in vec3 colour;
out vec4 result;
void main() { result = vec4(colour, 1.0); }`,A=class{constructor(t){this.gpu=t,this.program=t.program(z,B)}draw(t,o,e,a,r){let{gl:s,canvas:c}=this.gpu,n=1;for(;t.width/n*(t.height/n)>O;)n++;let h=Math.ceil(t.width/n),l=Math.ceil(t.height/n),f=Math.tan(o.fov*Math.PI/360),[d,u]=[S(t,1,o.ratio),S(t,0,o.ratio)],m=Math.sqrt(d*u);return this.gpu.begin(this.program,{view:L(e,f,c.width/c.height,m,u),range:[t.low,t.high,o.ratio],grid:[h,l,n],shape:[f,_(t,n,a),c.width,c.height],painted:Number(r)}),s.enable(s.DEPTH_TEST),s.clearColor(0,0,0,0),s.clear(s.COLOR_BUFFER_BIT|s.DEPTH_BUFFER_BIT),s.drawArrays(s.POINTS,0,h*l),h*l}};function L({yaw:i,pitch:t,zoom:o,shift:e},a,r,s,c){let[n,h,l,f]=[Math.cos(i),Math.sin(i),Math.cos(t),Math.sin(t)],d=[[n,0,h],[f*h,l,-f*n],[-l*h,f,l*n]],u=d.map(p=>p[2]*s);u[2]-=s;let[m,b]=[s*.02,c*8],[w,E]=[o/a,(b+m)/(m-b)],v=[w,w*r],x=new Float32Array(16);for(let p=0;p<4;p++){let g=I=>p<3?d[I][p]:u[I];x[p*4]=g(0)*v[0]-g(2)*e[0],x[p*4+1]=g(1)*v[1]-g(2)*e[1],x[p*4+2]=g(2)*E+(p===3?2*b*m/(m-b):0),x[p*4+3]=-g(2)}return x}var X=.04;async function G({width:i,height:t,low:o,high:e,levels:a}){let r=Uint8Array.from(atob(a),n=>n.charCodeAt(0)),s=new Blob([r]).stream().pipeThrough(new DecompressionStream("deflate")),c=new Uint16Array(await new Response(s).arrayBuffer());for(let n=0;n<c.length;n++)n%i&&(c[n]+=c[n-1]);return new T({width:i,height:t,values:c.map(n=>65535-n)},{variant:"",weights:"",range:[o,e],kind:"metric_depth"})}async function F(i){let t=i.querySelector("canvas"),o=Object.assign(new Image,{src:document.querySelector(`#${i.dataset.photo} image`)?.getAttribute("href")}),e=JSON.parse(i.querySelector("script")?.textContent??""),a=y.on(t);if(!a)return;let r=await G(e);await o.decode();let s=document.createElement("canvas");Object.assign(s,{width:o.naturalWidth,height:o.naturalHeight}),s.getContext("2d")?.drawImage(o,0,0),a.show(r,s),a.colour(new Uint8Array(M*4),r,r.values);let c=new A(a),n={yaw:.3,pitch:.2,zoom:.9,shift:[0,0]},h=()=>{let d=Math.min(1,t.height/t.width*(r.width/r.height));c.draw(r,{fov:e.fov,ratio:1},{...n,zoom:n.zoom*d},X,!1)},l=()=>{let d=Math.min(devicePixelRatio||1,2);Object.assign(t,{width:Math.round(t.clientWidth*d),height:Math.round(t.clientHeight*d)}),h()},f=(d,u,m)=>{n.yaw=Math.max(-1.5,Math.min(1.5,n.yaw+d)),n.pitch=Math.max(-.6,Math.min(1.4,n.pitch+u)),n.zoom=Math.max(.4,Math.min(5,n.zoom*m)),requestAnimationFrame(h)};i.dataset.state="shown",new ResizeObserver(l).observe(t),C(t,f)}function C(i,t){let o=new Map;i.addEventListener("pointerdown",a=>{o.set(a.pointerId,a),i.setPointerCapture(a.pointerId)});for(let a of["pointerup","pointercancel"])i.addEventListener(a,r=>o.delete(r.pointerId));i.addEventListener("pointermove",a=>{let r=o.get(a.pointerId);if(!r)return;let s=[...o.values()].find(c=>c.pointerId!==a.pointerId);if(o.set(a.pointerId,a),s){let[c,n]=[r,a].map(h=>Math.hypot(h.clientX-s.clientX,h.clientY-s.clientY));c>0&&t(0,0,n/c)}else t((a.clientX-r.clientX)/250,(a.clientY-r.clientY)/250,1)}),i.addEventListener("wheel",a=>{document.activeElement!==i&&!a.ctrlKey||(a.preventDefault(),t(0,0,Math.exp(-a.deltaY/500)))},{passive:!1});let e={ArrowLeft:[-.1,0,1],ArrowRight:[.1,0,1],ArrowUp:[0,-.1,1],ArrowDown:[0,.1,1],"+":[0,0,1.15],"=":[0,0,1.15],"-":[0,0,1/1.15]};i.addEventListener("keydown",a=>{e[a.key]&&(a.preventDefault(),t(...e[a.key]))})}for(let i of document.querySelectorAll(".space"))F(i);
